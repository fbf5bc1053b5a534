/**
 * A whole Souk with replicas, in a folder of its own. Guarantees: every process reaches the others over its own links and
 * is started again when it dies; nothing of it outlives this process.
 */
import { join } from 'node:path';
import { findNatsServer, isRunning, processStart, signal, startNats, startPostgres } from '@souk/infra';
import { GRPC_SERVICES, layout, loadSecrets, ROOT, type Secrets, type ServiceName } from '@souk/runner';
import {
  answersOk,
  isTlsOn,
  keepCertificates,
  launchNode,
  listens,
  LogOutput,
  prepareDatabases,
  sandboxEnvironment,
  serviceEnvironment,
  Supervised,
  waitUntil,
  type Environment,
  type EnvironmentPlan,
  type Launched,
  type PortPlan,
} from '@souk/runner/parts';
import { SAGA_LEASE_MS } from './leases.ts';
import { findPorts, INSTANCES, linkName, portOf, replicasOf, SERVERS, wireSpecs } from './topology.ts';
import type { Instance, Ports, ServerName } from './topology.ts';
import { Wires } from './wires.ts';

const SETTINGS: NodeJS.ProcessEnv = {
  SOUK_ORDER_WAIT_MS: '2000',
  // So short that holds of carts end while their orders are under way.
  SOUK_ORDER_CART_HOLD_SECONDS: '15',
  SOUK_SAGA_LEASE_MS: String(SAGA_LEASE_MS),
  // So often that the services compare themselves while they break, too.
  SOUK_RECONCILE_EVERY_SECONDS: '15',
};
/** Shorter than by default, so that a run sees more calls whose outcome is not known. */
const PROVIDER_TIMEOUT_MS = '4000';

export interface ClusterOptions {
  readonly folder: string;
  readonly say: (line: string) => void;
  /** Stands before the provider, where a safeguard is switched off; answers the port to use instead of the provider's. */
  readonly beforeProvider?: (providerPort: number) => Promise<number>;
}

export class Cluster {
  readonly folder: string;
  readonly secrets: Secrets;
  readonly ports: Ports;
  readonly wires = new Wires();
  /** What ended though nobody killed it. */
  readonly crashes: string[] = [];
  readonly #say: (line: string) => void;
  readonly #output: LogOutput;
  readonly #processes = new Map<string, Supervised>();
  readonly #killed = new Set<number>();
  readonly #stopping = new AbortController();
  #endCertificates: () => void = () => undefined;

  private constructor({ folder, say }: ClusterOptions, ports: Ports) {
    this.folder = folder;
    this.ports = ports;
    this.#say = say;
    this.secrets = loadSecrets(layout(folder).secrets);
    this.#output = new LogOutput(layout(folder).logs, { quiet: true });
  }

  /** Starts everything and resolves when the gateway says that it is ready. */
  static async start(options: ClusterOptions): Promise<Cluster> {
    const cluster = new Cluster(options, await findPorts());
    try {
      await cluster.#start(options);
    } catch (error) {
      await cluster.stop();
      throw error;
    }
    return cluster;
  }

  /** Connection of the superuser to a service's database, on no link. */
  databaseUrl(service: string): string {
    return `postgres://postgres:${this.secrets.postgresPassword}@127.0.0.1:${this.port('postgres')}/souk_${service}`;
  }

  port(process: string): number {
    return portOf(this.ports.of, process);
  }

  /** Where a link begins. */
  linkPort(from: string, to: string): number {
    return portOf(this.ports.link, linkName(from, to));
  }

  /** Kills a process at once; it is started again by itself. */
  kill(name: string): void {
    const pid = this.#processes.get(name)?.pid;
    if (pid === undefined) return;
    this.#killed.add(pid);
    signal(pid, 'SIGKILL');
  }

  /** Stops the clock of a process, until the returned function is called. */
  pause(name: string): () => void {
    const pid = this.#processes.get(name)?.pid;
    if (pid === undefined) return () => undefined;
    const start = processStart(pid);
    signal(pid, 'SIGSTOP');
    return () => {
      if (start !== undefined && isRunning(pid, start)) signal(pid, 'SIGCONT');
    };
  }

  /** Resolves when everything answers again. */
  async ready(): Promise<void> {
    const ready = async () => {
      const all = await Promise.all(Object.values(this.ports.of).map((port) => listens(port)));
      return all.every(Boolean) && answersOk(`http://127.0.0.1:${this.port('gateway')}/readyz`);
    };
    await waitUntil(ready, [], layout(this.folder).logs, this.#stopping.signal);
  }

  /** Ends everything. Only Postgres is given the time for an orderly end: the others' state is on the disk. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('The run is being stopped.'));
    this.#endCertificates();
    const postgres = this.#processes.get('postgres');
    const others = [...this.#processes.values()].filter((process) => process !== postgres);
    const stopped = others.map((process) => process.stop());
    for (const { pid } of others) if (pid !== undefined) signal(pid, 'SIGKILL');
    await Promise.all(stopped);
    await postgres?.stop();
    this.wires.close();
  }

  async #start({ beforeProvider }: ClusterOptions): Promise<void> {
    const providerPort = (await beforeProvider?.(this.port('provider'))) ?? this.port('provider');
    if (isTlsOn(process.env)) this.#endCertificates = await keepCertificates(this.folder);
    await this.wires.open(wireSpecs({ ...this.ports, of: { ...this.ports.of, provider: providerPort } }));
    await Promise.all([
      this.#launch('postgres', () => this.#startPostgres()).then(() => prepareDatabases(this.#plan())),
      this.#launch('nats', () => this.#startNats()),
      this.#launch('provider', () => this.#startNode('provider', 'tools/sandbox-psp/dist/main.js', this.#sandbox())),
    ]);
    await Promise.all(
      INSTANCES.map((instance) =>
        this.#launch(instance.name, () => {
          const program = join('apps', instance.service, 'dist/main.js');
          return this.#startNode(instance.name, program, this.#environment(instance));
        }),
      ),
    );
    await waitUntil(
      async () => (await Promise.all(Object.values(this.ports.of).map(listens))).every(Boolean),
      [...this.#processes.values()],
      layout(this.folder).logs,
      this.#stopping.signal,
    );
    await this.ready();
  }

  async #launch(name: string, launch: () => Promise<Launched>): Promise<void> {
    const process = new Supervised(name, () => this.#watched(name, launch), {
      spawned: (_, pid) => this.wires.guard(pid),
      say: this.#say,
    });
    this.#processes.set(name, process);
    await process.start();
  }

  async #watched(name: string, launch: () => Promise<Launched>): Promise<Launched> {
    const launched = await launch();
    void launched.ended.then((reason) => {
      const wasKilled = this.#killed.delete(launched.pid);
      if (!wasKilled && !this.#stopping.signal.aborted) this.crashes.push(`${name} ended by itself (${reason})`);
    });
    return launched;
  }

  #startNode(name: string, program: string, environment: Environment): Promise<Launched> {
    return launchNode(name, join(ROOT, program), environment, this.#output);
  }

  #startPostgres(): Promise<Launched> {
    const { postgres, logs } = layout(this.folder);
    const logFile = join(logs, 'postgres.log');
    const password = this.secrets.postgresPassword;
    return startPostgres({ dataDir: postgres, port: this.port('postgres'), logFile, password });
  }

  async #startNats(): Promise<Launched> {
    const program = await findNatsServer({ log: this.#say });
    const { nats, logs } = layout(this.folder);
    return startNats({ program, storeDir: nats, port: this.port('nats'), logFile: join(logs, 'nats.log') });
  }

  /** What the run itself sees, without any links. */
  #plan(seen: (name: ServiceName | ServerName) => number = (name) => this.#ownPort(name)): EnvironmentPlan {
    const { PATH, LOG_LEVEL, SOUK_TLS } = process.env;
    const services = [...GRPC_SERVICES, 'gateway'] as const;
    const ports = Object.fromEntries([
      ...services.map((service) => [service, seen(service)]),
      // Replicas share this plan, and nobody asks them: any free port will do.
      ...services.map((service) => [`${service}-management`, 0]),
      ...SERVERS.map((server) => [server === 'provider' ? 'sandbox-psp' : server, seen(server)]),
    ]) as PortPlan;
    return { ports, secrets: this.secrets, dataDir: this.folder, env: { PATH, LOG_LEVEL, SOUK_TLS, ...SETTINGS } };
  }

  #ownPort(name: ServiceName | ServerName): number {
    return this.ports.of[name] ?? this.port(`${name}-1`);
  }

  #sandbox(): Environment {
    const seen = (name: ServiceName | ServerName) =>
      name === 'gateway' ? this.linkPort('provider', 'gateway') : this.#ownPort(name);
    return sandboxEnvironment(this.#plan(seen));
  }

  #environment({ name, service }: Instance): Environment {
    const seen = (other: ServiceName | ServerName) => {
      const to = replicasOf(other as ServiceName)[0] ?? other;
      return other === service ? this.port(name) : (this.ports.link[linkName(name, to)] ?? this.#ownPort(other));
    };
    return {
      ...serviceEnvironment(service, this.#plan(seen)),
      ...this.#addressesFor(name, service),
      ...(service === 'payments' && { STRIPE_TIMEOUT_MS: PROVIDER_TIMEOUT_MS }),
    };
  }

  /** Every replica of every other service, each over a link of its own. */
  #addressesFor(name: string, service: ServiceName): Environment {
    const others = GRPC_SERVICES.filter((other) => other !== service);
    return Object.fromEntries(
      others.map((other) => {
        const addresses = replicasOf(other).map((replica) => `127.0.0.1:${this.linkPort(name, replica)}`);
        return [`SOUK_${other.toUpperCase()}_ADDRESS`, `ipv4:${addresses.join(',')}`];
      }),
    );
  }
}
