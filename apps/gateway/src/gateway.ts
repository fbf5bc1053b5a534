/** Puts the gateway together: Fastify with its hooks, parsers and limits, Nest with the routes, and the documentation. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { SwaggerModule } from '@nestjs/swagger';
import { nestLogger } from '@souk/telemetry';
import type { Logger } from '@souk/telemetry';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { GatewayConfig } from './config.js';
import { GatewayModule } from './gateway.module.js';
import { addBodyParsers } from './http/body-parsers.js';
import { guardConnections } from './http/connections.js';
import { ProblemFilter } from './http/problem.filter.js';
import { addRateLimit } from './http/rate-limit.js';
import { addRequestHooks } from './http/request-hooks.js';
import { corsOptions, refuseMalformed } from './http/security-headers.js';
import { RateLimits } from './rate-limits/rate-limits.js';
import { openApiDocument } from './openapi.js';

/** The longest parts of a path are SKUs and slugs, percent-encoded. */
const MAX_PARAM_LENGTH = 1_000;
/** Time for a request to arrive in full, a large product file over a slow line included. */
const REQUEST_TIMEOUT_MS = 10 * 60_000;
/** Of the first line and the headers together. */
const MAX_HEADER_BYTES = 16 * 1024;
/** How often the server looks for requests that take too long. */
const MOST_BETWEEN_CHECKS_MS = 1_000;

/** The gateway, ready to listen: `listen` on its Fastify instance, or `init` for tests. */
export async function createGateway(config: GatewayConfig, logger: Logger): Promise<NestFastifyApplication> {
  const adapter: FastifyAdapter = new FastifyAdapter({
    skipMiddie: true,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: config.keepAliveMs,
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: config.headersTimeoutMs,
      connectionsCheckingInterval: Math.min(MOST_BETWEEN_CHECKS_MS, config.headersTimeoutMs),
    },
    return503OnClosing: false,
    clientErrorHandler: refuseMalformed,
    trustProxy: config.trustedProxies.length > 0 ? config.trustedProxies : false,
    routerOptions: { maxParamLength: MAX_PARAM_LENGTH },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) =>
      app.get(ProblemFilter).answer(error, request, reply),
  });
  const fastify = adapter.getInstance<FastifyInstance>();
  guardConnections(fastify, config);
  addRequestHooks(fastify, logger);
  addBodyParsers(fastify, config.bodyTimeoutMs);
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.with(config, logger), adapter, {
    logger: nestLogger(logger),
    bodyParser: false,
    abortOnError: false,
    ...(config.corsOrigins.length > 0 ? { cors: corsOptions(config.corsOrigins) } : {}),
  });
  addRateLimit(fastify, app.get(RateLimits));
  addDocs(app);
  return app;
}

/**
 * Takes no new connections, lets requests under way finish, and after `graceMs` cuts off what is left: also connections
 * that were opened and never used, which Node would wait for.
 */
export async function closeGateway(app: NestFastifyApplication, graceMs: number): Promise<void> {
  const timer = setTimeout(() => app.getHttpServer().closeAllConnections(), graceMs);
  await app.close().finally(() => clearTimeout(timer));
}

/** `/openapi.json`, made when it is first asked for, and `/docs`, which needs nothing from elsewhere. */
function addDocs(app: NestFastifyApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: 'Souk API',
    swaggerOptions: { validatorUrl: null },
  });
}
