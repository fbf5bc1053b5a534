import { setTimeout as delay } from 'node:timers/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger, startTracing, stopTracing } from '@souk/telemetry';
import { openManagement } from './management.js';
import { gatewayConfig, type GatewayConfig } from './config.js';
import { closeGateway, createGateway } from './gateway.js';
import { ReadinessCheck } from './readiness.js';
import { SystemView } from './system.js';

/** Longest that requests under way may take to end. */
const GRACE_MS = 10_000;

const logger = createLogger('gateway');

try {
  await start(gatewayConfig());
} catch (error) {
  logger.fatal(error instanceof Error ? error.message : String(error));
  process.exit(1);
}

async function start(config: GatewayConfig): Promise<void> {
  await startTracing('gateway', logger);
  const management = await openManagement(config, logger);
  const app = await createGateway(config, logger);
  await app.init();
  const { host, port } = config;
  await app
    .getHttpAdapter()
    .getInstance()
    .listen({ host, port })
    .catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'EADDRINUSE' ? new Error(`Port ${port} on ${host} is taken; set PORT to another.`) : error;
    });
  await app.get(SystemView).ready();
  management?.serves(app);
  logger.info({ host, port }, 'gateway is ready');
  let stopping = false;
  const stop = () => {
    if (!stopping) void end(app, config);
    stopping = true;
  };
  process.on('SIGTERM', stop).on('SIGINT', stop);
}

/** Not ready, then no new connections, then the requests under way, then the clients. */
async function end(app: NestFastifyApplication, { drainMs }: GatewayConfig): Promise<void> {
  app.get(ReadinessCheck).drain();
  await app.get(SystemView).drain();
  await delay(drainMs);
  await closeGateway(app, GRACE_MS).catch((error: unknown) => logger.error({ err: error }, 'did not stop in order'));
  await stopTracing();
  process.exit(0);
}
