/**
 * A service as its own module composes it, in a simulated process: its database, its bus, its neighbours and the payment
 * provider are the simulation's, all else is what is delivered.
 */
import type { DynamicModule, Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { OperationsGrpc, Reconciler } from '@souk/operations';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { definitionOf, type ControllerClass, type ServiceDefinition } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import type { Host } from '../host.ts';
import { simulatedBus } from '../nats/bus.ts';
import { SimulatedPool } from '../postgres/pool.ts';
import type { PostgresServer } from '../postgres/server.ts';
import type { World } from '../world.ts';
import { compose, tokenOf } from './container.ts';

export interface Blueprint {
  /** Short name, for example `orders`. */
  readonly name: string;
  readonly module: (logger: Logger) => DynamicModule;
  /** Services that it calls, by the descriptions of their tokens. */
  readonly neighbours: Readonly<Record<string, ServiceDefinition>>;
  /** Parts that the simulation has of its own. */
  readonly parts?: (world: World, host: Host, logger: Logger) => ReadonlyMap<unknown, object>;
}

/** What compares services and tells people: nothing that is simulated follows from it. */
const LEFT_OUT: readonly unknown[] = [Reconciler, OperationsGrpc];

interface Lifecycle {
  onModuleInit?: () => unknown;
  onApplicationBootstrap?: () => unknown;
}

/** A process of a service that runs. */
export interface RunningService {
  /** Absent where it publishes nothing. */
  readonly relay?: OutboxRelay;
}

/** Starts the service in a process that has just begun to live. */
export function startService(world: World, host: Host, blueprint: Blueprint, server: PostgresServer): RunningService {
  const logger = world.loggerOf(host);
  const { name } = blueprint;
  const database = connectDatabase(world, host, server);
  const bus = simulatedBus(world.broker, host);
  const relay = new OutboxRelay({ database, bus, source: name, logger });
  const parts = new Map<unknown, object>([
    [Database, database],
    [EventBus, bus],
    [OutboxRelay, relay],
    ...(blueprint.parts?.(world, host, logger) ?? []),
  ]);
  const neighbour = (token: unknown) => {
    const definition = typeof token === 'symbol' ? blueprint.neighbours[token.description ?? ''] : undefined;
    return definition && world.rpc.client(definition, host, name);
  };
  const all = blueprint.module(logger).providers as Provider[];
  const providers = all.filter((provider) => !LEFT_OUT.includes(tokenOf(provider)));
  const composed = compose(providers, (token) => parts.get(token) ?? neighbour(token));
  for (const part of composed) serve(world, host, part);
  for (const part of composed as Lifecycle[]) {
    part.onModuleInit?.();
    part.onApplicationBootstrap?.();
  }
  relay.start();
  return { relay };
}

/** The database as the services know it, over the simulated driver. */
export function connectDatabase({ scheduler, network }: World, host: Host, server: PostgresServer): Database {
  const pool = new SimulatedPool({ scheduler, network, server, host });
  return Reflect.construct(Database, [pool]) as Database;
}

function serve({ rpc }: World, host: Host, part: object): void {
  const definition = controllerDefinition(part.constructor as ControllerClass);
  if (definition) rpc.serve(definition, host, part);
}

const definitions = new Map<object, ServiceDefinition | undefined>();

/** Undefined for what is no controller. */
function controllerDefinition(maybe: ControllerClass): ServiceDefinition | undefined {
  if (!definitions.has(maybe)) definitions.set(maybe, findDefinition(maybe));
  return definitions.get(maybe);
}

function findDefinition(maybe: ControllerClass): ServiceDefinition | undefined {
  try {
    return definitionOf(maybe);
  } catch {
    return undefined;
  }
}
