/** Everything there is in a run: time, network, databases, broker, payment provider, and the processes of the services. */
import { join } from 'node:path';
import type { Logger } from '@souk/telemetry';
import { Host } from './host.ts';
import { Broker } from './nats/broker.ts';
import { publishDirectly } from './nats/direct-publishing.ts';
import { Network, type Weather } from './network.ts';
import { readMigrations } from './postgres/migrations.ts';
import { Planner } from './postgres/planner.ts';
import type { Schema } from './postgres/schema.ts';
import { PostgresServer } from './postgres/server.ts';
import { Provider, type ProviderWeather } from './provider/provider.ts';
import { Random } from './random.ts';
import { RpcNetwork } from './rpc.ts';
import { Scheduler } from './scheduler.ts';
import { startAudit } from './audit/audit.ts';
import { INVENTORY, ORDERS, PAYMENTS } from './services/blueprints.ts';
import { startService, type RunningService } from './services/service.ts';
import { sabotageBy, type Switch } from './switches.ts';
import { Trace } from './trace.ts';

export interface WorldOptions {
  readonly seed: number;
  readonly weather: Weather;
  readonly providerWeather: ProviderWeather;
  readonly switchedOff?: Switch | undefined;
  readonly isTraced: boolean;
}

/** A process and the service in it. */
export interface Replica {
  readonly name: string;
  /** How far the clock of its machine is ahead. */
  skewMs: number;
  /** Undefined before its first start. */
  host?: Host;
  readonly server: PostgresServer;
  readonly begin: (world: World, host: Host, server: PostgresServer) => RunningService;
  running?: RunningService;
}

const FIRST_DAY = Date.UTC(2026, 2, 1, 10);
const DAY_MS = 24 * 60 * 60 * 1000;
const ROOT = join(import.meta.dirname, '../..');
/** What runs, and where its migrations are. */
const SERVICES: readonly { name: string; replicas: number; migrations: string; begin: Replica['begin'] }[] = [
  ...[ORDERS, INVENTORY, PAYMENTS].map((blueprint) => {
    const { name } = blueprint;
    const begin: Replica['begin'] = (world, host, server) => startService(world, host, blueprint, server);
    return { name, replicas: 2, migrations: join(ROOT, 'apps', name, 'migrations'), begin };
  }),
  { name: 'audit', replicas: 1, migrations: join(import.meta.dirname, 'audit/migrations'), begin: startAudit },
];

export class World {
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly trace: Trace;
  readonly network: Network;
  readonly broker: Broker;
  readonly provider: Provider;
  readonly rpc: RpcNetwork;
  readonly switchedOff: Switch | undefined;
  readonly databases: ReadonlyMap<string, PostgresServer>;
  readonly replicas: readonly Replica[];
  /** Where the shop's customers come in; it neither dies nor stands still. */
  readonly shop = new Host('shop');

  constructor({ seed, weather, providerWeather, switchedOff, isTraced }: WorldOptions) {
    // Identifiers of a process only grow, so each seed has a day of its own: runs of a thread come in the order of their seeds.
    const scheduler = new Scheduler(FIRST_DAY + seed * DAY_MS);
    this.scheduler = scheduler;
    this.random = new Random(seed);
    this.trace = new Trace(scheduler, isTraced);
    this.network = new Network(this.random.fork(), weather);
    this.broker = new Broker(scheduler, this.network);
    this.switchedOff = switchedOff;
    this.provider = new Provider({
      scheduler,
      network: this.network,
      random: this.random.fork(),
      trace: this.trace,
      weather: providerWeather,
      ignoresKeys: switchedOff === 'provider-key',
    });
    this.rpc = new RpcNetwork(scheduler, this.network, this.trace);
    this.databases = new Map(
      SERVICES.map(({ name, migrations }) => [name, newDatabase(scheduler, migrations, switchedOff)]),
    );
    this.replicas = SERVICES.flatMap(({ name, replicas, begin }) => {
      const server = this.database(name);
      return Array.from({ length: replicas }, (_, index) => ({
        name: `${name}-${index + 1}`,
        skewMs: 0,
        server,
        begin,
      }));
    });
    if (switchedOff === 'outbox') {
      for (const [name, server] of this.databases) publishDirectly(server, this.broker, name);
    }
  }

  database(name: string): PostgresServer {
    const database = this.databases.get(name);
    if (!database) throw new Error(`There is no database ${name}.`);
    return database;
  }

  startAll(): void {
    this.replicas.forEach((replica) => this.start(replica));
  }

  start(replica: Replica): void {
    const { name, skewMs, begin, server } = replica;
    const host = new Host(name, skewMs);
    replica.host = host;
    this.trace.add(host, 'starts');
    this.scheduler.after(0, () => void (replica.running = begin(this, host, server)), host);
  }

  kill({ host }: Replica): void {
    this.trace.add(host, 'DIES');
    host?.kill();
  }

  loggerOf(host: Host): Logger {
    const write = (level: string) => (fields: unknown, message?: string) => {
      this.trace.add(host, `${level}: ${message ?? String(fields)}${reasonIn(fields)}`);
    };
    const silent = () => undefined;
    const logger = { info: write('info'), warn: write('warn'), error: write('error'), fatal: write('fatal') };
    return { ...logger, debug: silent, trace: silent } as unknown as Logger;
  }
}

function reasonIn(fields: unknown): string {
  const error = (fields as { err?: Error } | undefined)?.err;
  return error ? ` (${String(error)})` : '';
}

const planners = new Map<string, { schema: Schema; planner: Planner }>();

/** Schemas and plans are the same in every run. */
function newDatabase(scheduler: Scheduler, migrations: string, switchedOff: Switch | undefined): PostgresServer {
  const key = `${migrations} ${switchedOff}`;
  const known = planners.get(key) ?? plannerOf(migrations, switchedOff);
  planners.set(key, known);
  return new PostgresServer(scheduler, known.schema, known.planner);
}

function plannerOf(migrations: string, switchedOff: Switch | undefined): { schema: Schema; planner: Planner } {
  const schema = readMigrations(migrations, sabotageBy(switchedOff));
  return { schema, planner: new Planner(schema) };
}
