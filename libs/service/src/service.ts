/**
 * Starts a service: its Nest module, then its gRPC server with health and reflection; and stops it in order on SIGTERM
 * or SIGINT: no longer ready, no new calls, calls under way finish, consumers and workers end (`onModuleDestroy`),
 * connections close (`onApplicationShutdown`). A start that fails says why in one line and exits with 1.
 */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { DynamicModule, INestApplicationContext, Type } from '@nestjs/common';
import { AuditGrpc, AuditTrail } from '@souk/audit';
import { rulesOf, TokenVerifier, type KeySource } from '@souk/auth';
import { advertisedHost, Registry, soukVersion, type RegistryOptions } from '@souk/discovery';
import { EventBus } from '@souk/events';
import { Database } from '@souk/postgres';
import { definitionOf, RpcServer, serviceName, type ControllerClass, type TlsFiles } from '@souk/rpc';
import { createLogger, nestLogger, startTracing, stopTracing, type Logger } from '@souk/telemetry';
import { HealthImplementation } from 'grpc-health-check';
import { Consumers } from './consumers.js';
import { tellBuild } from './management/build-info.js';
import { Readiness, type Dependency } from './management/readiness.js';
import { startManagement, type ManagementOptions, type ManagementServer } from './management/server.js';
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
  /** Where it answers what is asked of the process itself, such as its health; nowhere where it is left out. */
  readonly management?: Pick<ManagementOptions, 'host' | 'port' | 'token'> | undefined;
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
  const starting: Starting = {};
  // First, so that its health can be asked about while it waits for its database.
  const management = await openManagement(options, logger, starting);
  try {
    return await startBehind(options, logger, management, starting);
  } catch (error) {
    await management?.close();
    throw error;
  }
}

/** What is there from some moment of the start on. */
interface Starting {
  app?: INestApplicationContext;
  readiness?: Readiness;
}

async function startBehind(
  options: ServiceOptions,
  logger: Logger,
  management: ManagementServer | undefined,
  starting: Starting,
): Promise<RunningService> {
  const registry = options.registry && new Registry({ ...identityOf(options), ...options.registry, logger });
  const app = await NestFactory.createApplicationContext(options.module, {
    logger: nestLogger(logger),
    abortOnError: false,
  });
  starting.app = app;
  const get: Get = (type) => app.get(type);
  const verifier = new TokenVerifier(() => options.signingKeys(get));
  const trail = app.get<AuditTrail>(AuditTrail);
  const server = new RpcServer({ ...options, logger, verifier, recorder: trail });
  const health = new HealthImplementation();
  const controllers = controllersOf(options);
  for (const controller of controllers)
    server.add(controller, controller === AuditGrpc ? new AuditGrpc(trail) : app.get<object>(controller));
  const services = controllers.map((controller) => serviceName(definitionOf(controller)));
  const onChange = (ready: boolean) => {
    for (const name of ['', ...services]) health.setStatus(name, ready ? 'SERVING' : 'NOT_SERVING');
  };
  const readiness = new Readiness({ dependencies: dependenciesOf(app), logger, onChange });
  health.addToServer(server.grpc);
  addReflection(server.grpc, services);
  const port = await server.listen(options.host, options.port);
  await registry?.announce('ready', addressOf(options.host, port));
  readiness.start();
  starting.readiness = readiness;
  logger.info({ port }, `${options.name} is ready`);
  return {
    port,
    managementPort: management?.port,
    get,
    stop: async () => {
      await registry?.announce('draining');
      readiness.drain();
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

async function openManagement(options: ServiceOptions, logger: Logger, starting: Starting) {
  if (!options.management) return undefined;
  tellBuild();
  return startManagement({
    ...options.management,
    service: options.name,
    logger,
    isStarted: () => starting.readiness !== undefined,
    health: () => starting.readiness?.health() ?? { ready: false, parts: { process: 'starting' } },
    routes: () => controllersOf(options).flatMap(routesOf),
    consumers: () => optionalPart(starting.app, Consumers)?.list.map(({ durable, type }) => ({ durable, type })) ?? [],
  });
}

function controllersOf({ controllers }: ServiceOptions): ControllerClass[] {
  return [...controllers, AuditGrpc];
}

function routesOf(controller: ControllerClass) {
  return Object.entries(definitionOf(controller)).map(([name, { path }]) => ({
    route: path,
    access: rulesOf(controller.prototype as object, name)?.join(', ') ?? 'none',
  }));
}

/** Without its database a service can do nothing; without NATS its events wait in the outbox. */
function dependenciesOf(app: INestApplicationContext): Dependency[] {
  const database = optionalPart(app, Database);
  const bus = optionalPart(app, EventBus);
  return [
    ...(database ? [{ name: 'database', isNeeded: true, look: () => database.isReachable() }] : []),
    ...(bus ? [{ name: 'nats', isNeeded: false, look: async () => bus.connected }] : []),
  ];
}

function optionalPart<T>(app: INestApplicationContext | undefined, type: { readonly prototype: T }): T | undefined {
  try {
    return app?.get<T>(type as Type<T>, { strict: false });
  } catch {
    // The service has no such part.
    return undefined;
  }
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
