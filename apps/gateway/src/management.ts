import type { INestApplicationContext } from '@nestjs/common';
import { readyGauge, startManagement, tellBuild, type Health } from '@souk/service/management';
import type { Logger } from '@souk/telemetry';
import type { GatewayConfig } from './config.js';
import { Routes } from './http/access.js';
import { ReadinessCheck } from './readiness.js';

const LOOK_EVERY_MS = 5_000;

/** Opens the gateway's management port, where it has one. */
export async function openManagement({ management }: GatewayConfig, logger: Logger) {
  if (!management) return undefined;
  tellBuild();
  let serving: INestApplicationContext | undefined;
  await startManagement({
    ...management,
    service: 'gateway',
    logger,
    isStarted: () => serving !== undefined,
    health: () => healthOf(serving),
    routes: () =>
      serving
        ?.get(Routes)
        .all()
        .map(({ handler, rules = [] }) => ({ route: handler, access: rules.join(', ') })) ?? [],
    consumers: () => [],
  });
  return {
    /** Says that it serves from now on. */
    serves: (app: INestApplicationContext) => {
      serving = app;
      setInterval(() => void tellReady(app, logger), LOOK_EVERY_MS).unref();
      void tellReady(app, logger);
    },
  };
}

async function healthOf(serving: INestApplicationContext | undefined): Promise<Health> {
  if (!serving) return { ready: false, parts: { process: 'starting' } };
  const { ready, services } = await serving.get(ReadinessCheck).check();
  return { ready, parts: services };
}

async function tellReady(app: INestApplicationContext, logger: Logger): Promise<void> {
  try {
    readyGauge.set((await healthOf(app)).ready ? 1 : 0);
  } catch (error) {
    logger.debug({ err: error }, 'the services could not be asked');
  }
}
