import { Catch, Inject, Injectable, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import { isDomainError } from '@souk/errors';
import { newRequestId, runInContext, type Logger } from '@souk/telemetry';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { LOGGER } from '../tokens.js';
import { wantedBody } from './body-parsers.js';
import { sendOAuthError } from './oauth.js';
import { problemOf, type Problem } from './problem.js';
import { securityHeaders } from './security-headers.js';

const RETRY_AFTER_S = 1;
const OF_ANSWERS = ['etag', 'location'];

/** The only place that sends problem documents. What is a failure of ours is logged here, once. */
@Catch()
@Injectable()
export class ProblemFilter implements ExceptionFilter {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    this.answer(error, http.getRequest<FastifyRequest>(), http.getResponse<FastifyReply>());
  }

  /** Answers a request that failed before it came to Nest. */
  answer(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const problem = problemOf(error, request.callContext?.requestId ?? newRequestId());
    if (problem.status >= 500) this.log(error, problem, request);
    if (reply.raw.headersSent) {
      reply.raw.destroy();
      return;
    }
    // A request whose address could not be parsed was seen by no hook, and what a route said of its answer is not true of this.
    void reply.headers(securityHeaders(request)).header('x-request-id', problem.requestId);
    for (const header of OF_ANSWERS) void reply.removeHeader(header);
    if (wantedBody(request) === 'form' && sendOAuthError(problem, reply)) return;
    if (problem.status === 401) void reply.header('www-authenticate', 'Bearer');
    if (passes(problem) && !reply.hasHeader('retry-after')) {
      void reply.header('retry-after', problem.retryAfter ?? RETRY_AFTER_S);
    }
    // As bytes, since Fastify adds a charset to texts, which this media type does not have.
    const body = Buffer.from(JSON.stringify(problem));
    void reply.status(problem.status).header('content-type', 'application/problem+json').send(body);
  }

  private log(error: unknown, { status, reason }: Problem, request: FastifyRequest): void {
    // The route and not the address: that may hold an order's access token.
    const facts = { method: request.method, route: request.routeOptions.url, status, reason };
    const write = () =>
      isDomainError(error)
        ? this.logger.warn({ ...facts, detail: error.message }, 'request failed')
        : this.logger.error({ ...facts, err: error }, 'request failed');
    if (request.callContext) runInContext(request.callContext, write);
    else write();
  }
}

/** Whether the same request may do better in a moment. */
function passes({ status, reason }: Problem): boolean {
  return status === 503 || status === 429 || reason === 'REQUEST_IN_PROGRESS';
}
