/**
 * Who runs in a chaos run, and by which links they reach each other: each process has links of its own to Postgres, NATS,
 * the provider and every replica of every service, so that any two can be parted while all others still meet.
 */
import { isPortFree } from '@souk/infra';
import { GRPC_SERVICES, SERVICES, type GrpcService, type ServiceName } from '@souk/runner';
import type { WireSpec } from './wires-process.ts';

export const SERVERS = ['postgres', 'nats', 'provider'] as const;
export type ServerName = (typeof SERVERS)[number];

const REPLICAS: Readonly<Partial<Record<ServiceName, number>>> = { orders: 2, inventory: 2, payments: 2 };

/** One process of a service. */
export interface Instance {
  readonly name: string;
  readonly service: ServiceName;
}

export const INSTANCES: readonly Instance[] = SERVICES.flatMap((service) => {
  const count = REPLICAS[service] ?? 1;
  return Array.from({ length: count }, (_, index) => ({
    name: count === 1 ? service : `${service}-${index + 1}`,
    service,
  }));
});

/** Buyers share a few ways into the shop; staff have their own. */
export const DOORS = ['door-1', 'door-2', 'door-3', 'door-4', 'staff-door'] as const;

export interface Link {
  readonly name: string;
  readonly from: string;
  readonly to: string;
}

export const LINKS: readonly Link[] = [
  ...INSTANCES.flatMap(({ name, service }) => [
    ...reachedBy(name, service).map((to) => link(name, to)),
    ...(service === 'payments' ? [link(name, 'provider')] : []),
    ...(service === 'gateway' ? [] : [link(name, 'postgres')]),
    link(name, 'nats'),
  ]),
  link('provider', 'gateway'),
  ...DOORS.map((door) => link(door, 'gateway')),
];

export interface Ports {
  /** Where each process listens. */
  readonly of: Readonly<Record<string, number>>;
  /** Where each link begins, by its name. */
  readonly link: Readonly<Record<string, number>>;
}

/** Every replica of a service. */
export function replicasOf(service: ServiceName): readonly string[] {
  return INSTANCES.filter((instance) => instance.service === service).map(({ name }) => name);
}

export function linkName(from: string, to: string): string {
  return `${from}->${to}`;
}

/**
 * Finds ports that are free now, all in one row. They lie below the range out of which systems give ports to outgoing
 * connections: a link that was cut must get its port back.
 */
export async function findPorts(): Promise<Ports> {
  const processes = [...INSTANCES.map(({ name }) => name), ...SERVERS];
  const count = processes.length + LINKS.length;
  for (let attempt = 0; attempt < 50; attempt++) {
    const first = 10_000 + Math.floor(Math.random() * (30_000 - 10_000 - count));
    const row = Array.from({ length: count }, (_, index) => first + index);
    const free = await Promise.all(row.map(isPortFree));
    if (!free.every(Boolean)) continue;
    const numbered = (names: readonly string[], offset: number) =>
      Object.fromEntries(names.map((name, index) => [name, first + offset + index]));
    return {
      of: numbered(processes, 0),
      link: numbered(
        LINKS.map(({ name }) => name),
        processes.length,
      ),
    };
  }
  throw new Error('No free ports were found.');
}

/** The wires for these ports. */
export function wireSpecs(ports: Ports): WireSpec[] {
  return LINKS.map(({ name, to }) => ({ name, port: portOf(ports.link, name), target: portOf(ports.of, to) }));
}

export function portOf(ports: Readonly<Record<string, number>>, name: string): number {
  const port = ports[name];
  if (port === undefined) throw new Error(`${name} has no port.`);
  return port;
}

function reachedBy(name: string, service: ServiceName): readonly string[] {
  const others = GRPC_SERVICES.filter((other: GrpcService) => other !== service);
  return others.flatMap((other) => replicasOf(other)).filter((other) => other !== name);
}

function link(from: string, to: string): Link {
  return { name: linkName(from, to), from, to };
}
