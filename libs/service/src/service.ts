/**
 * Starts a service: its Nest module, then its gRPC server with health and reflection; and stops it in order on SIGTERM
 * or SIGINT: no longer ready, no new calls, calls under way finish, consumers and workers end (`onModuleDestroy`),
 * connections close (`onApplicationShutdown`). A start that fails says why in one line and exits with 1.
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { DynamicModule, Type } from '@nestjs/common';
import { AuditGrpc, AuditTrail } from '@souk/audit';
import { TokenVerifier, type KeySource } from '@souk/auth';
import { advertisedHost, Registry, soukVersion, type RegistryOptions } from '@souk/discovery';
import { definitionOf, RpcServer, serviceName, type ControllerClass, type TlsFiles } from '@souk/rpc';
import { createLogger, nestLogger, startTracing, stopTracing, type Logger } from '@souk/telemetry';
import { HealthImplementation } from 'grpc-health-check';
import { startManagement } from './management.js';
import { addReflection } from './reflection.js';

const GRACE_MS = 10_000;

export interface ServiceOptions {
  /** Short name, for example `orders`. */
  readonly name: string;
  /** Has a DataModule: every service keeps who did what. */
  readonly module: Type<unknown> | DynamicModule;
  /** The controllers among the module's providers. */
  readonly controllers: readonly ControllerClass[];
  readonly host: string;
  /** Port of the gRPC server; 0 takes a free one. */
  readonly port: number;
  /** Port for what is asked of the process itself, such as its metrics; 0 takes a free one, none is opened where it is left out. */
  readonly managementPort?: number | undefined;
  /** Secret that other services prove themselves with, where TLS is off. */
  readonly serviceToken?: string;
  /** Turns TLS on: files of the service's certificate. */
  readonly tls?: TlsFiles;
  /** Where the service tells that it runs, and finds others; left out, nobody is told. */
  readonly registry?: Pick<RegistryOptions, 'url' | 'prefix'>;
  /** Public keys that access tokens are verified with; `get` gives a provider of the service's module. */
  readonly signingKeys: (get: Get) => ReturnType<KeySource>;
  readonly logger?: Logger;
}

type Get = <T>(type: Type<T>) => T;

export interface RunningService {
  readonly port: number;
  readonly managementPort: number | undefined;
  /** A provider of the service's module, for tests. */
  readonly get: Get;
  stop(): Promise<void>;
}

/** Starts the service and resolves once it serves. Does not listen to signals: see {@link runService}. */
export async function startService(options: ServiceOptions): Promise<RunningService> {
  const logger = options.logger ?? createLogger(options.name);
  const registry = options.registry && new Registry({ ...identityOf(options), ...options.registry, logger });
  const app = await NestFactory.createApplicationContext(options.module, {
    logger: nestLogger(logger),
    abortOnError: false,
  });
  const get: Get = (type) => app.get(type);
  const verifier = new TokenVerifier(() => options.signingKeys(get));
  const trail = app.get<AuditTrail>(AuditTrail);
  const server = new RpcServer({ ...options, logger, verifier, recorder: trail });
  const health = new HealthImplementation();
  const controllers = [...options.controllers, AuditGrpc];
  for (const controller of controllers) {
    server.add(controller, controller === AuditGrpc ? new AuditGrpc(trail) : app.get<object>(controller));
    health.setStatus(serviceName(definitionOf(controller)), 'SERVING');
  }
  health.setStatus('', 'SERVING');
  health.addToServer(server.grpc);
  addReflection(
    server.grpc,
    controllers.map((controller) => serviceName(definitionOf(controller))),
  );
  const management =
    options.managementPort === undefined
      ? undefined
      : await startManagement(options.host, options.managementPort, logger);
  const port = await server.listen(options.host, options.port);
  await registry?.announce('ready', addressOf(options.host, port));
  logger.info({ port }, `${options.name} is ready`);
  return {
    port,
    managementPort: management?.port,
    get,
    stop: async () => {
      await registry?.announce('draining');
      health.setStatus('', 'NOT_SERVING');
      await server.close(GRACE_MS);
      await registry?.close();
      await app.close();
      // Last: what it does at the end is measured too.
      await management?.close();
    },
  };
}

function identityOf({ name: service, host, port }: ServiceOptions) {
  return { service, address: addressOf(host, port), version: soukVersion() };
}

function addressOf(host: string, port: number): string {
  return `${advertisedHost(host)}:${port}`;
}

/**
 * What a service's main.ts calls: starts it and ties its end to the process's signals.
 * @param options made in here, so that a wrong configuration is reported like every other failure to start
 */
export async function runService(name: string, options: () => ServiceOptions): Promise<void> {
  const logger = createLogger(name);
  let service: RunningService | undefined;
  // Also while it starts: what it waits for may never come.
  const end = async () => {
    await service?.stop();
    await stopTracing();
  };
  const stop = once(() => end().then(() => process.exit(0), fail(logger)));
  process.on('SIGTERM', stop).on('SIGINT', stop);
  try {
    await startTracing(name, logger);
    service = await startService({ logger, ...options() });
  } catch (error) {
    fail(logger)(error);
  }
}

function fail(logger: Logger) {
  return (error: unknown): never => {
    logger.fatal({ err: error }, error instanceof Error ? error.message : 'cannot go on');
    process.exit(1);
  };
}

function once(action: () => unknown): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
