/**
 * A whole Souk on this machine: what is started in which order, and stopped in which. Guarantees: nothing is started twice,
 * whatever was started is stopped by `stop`, also when the start itself fails half-way.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findNatsServer, signal, startNats, startPostgres } from '@souk/infra';
import { isTlsOn, keepCertificates, removeCertificates } from './certificates.ts';
import {
  environmentFile,
  replicaEnvironment,
  sandboxEnvironment,
  serviceEnvironment,
  type EnvironmentPlan,
} from './environment.ts';
import { layout, ROOT, SERVICES, STOP_ORDER, type Layout, type ServiceName } from './layout.ts';
import type { LogOutput } from './log-output.ts';
import type { Options } from './options.ts';
import { prepareDatabases } from './prepare-databases.ts';
import { answersOk, listens, waitUntil } from './readiness.ts';
import type { RunRecord } from './run-record.ts';
import { launchNode } from './service-process.ts';
import { Supervised, type Launched } from './supervised.ts';

export interface SoukParts {
  readonly plan: EnvironmentPlan;
  readonly options: Options;
  readonly output: LogOutput;
  readonly record: RunRecord;
}

export class Souk {
  readonly #parts: SoukParts;
  readonly #layout: Layout;
  readonly #running = new Map<string, Supervised>();
  readonly #stopping = new AbortController();
  #endCertificates: () => void = () => undefined;

  constructor(parts: SoukParts) {
    this.#parts = parts;
    this.#layout = layout(parts.plan.dataDir);
  }

  /** Address of the REST edge. */
  get url(): string {
    return `http://127.0.0.1:${this.#parts.plan.ports.gateway}`;
  }

  /** Postgres, NATS and the sandbox payment provider, with every service's database up to date. */
  async startInfrastructure(): Promise<void> {
    await Promise.all([
      this.#makeCertificates(),
      this.#startPostgres().then(() => prepareDatabases(this.#parts.plan)),
      this.#startNats(),
      this.#startSandbox(),
    ]);
    this.#writeForOtherTools();
    this.#parts.record.reached('infra');
  }

  /** All services but those left out; resolves when the gateway says that it is ready. */
  async startServices(): Promise<void> {
    const { except } = this.#parts.options;
    const services = SERVICES.filter((service) => !except.includes(service));
    await Promise.all(services.flatMap((service) => [this.#startService(service), ...this.#startReplicas(service)]));
    await this.#waitUntil(() => this.#servicesAnswer(services));
    this.#parts.record.reached('ready');
  }

  /** Stops everything in order, each with its own deadline. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error('Souk is being stopped.'));
    this.#endCertificates();
    for (const group of STOP_ORDER) {
      const members = [...this.#running].filter(([name]) => group.includes(serviceOf(name)));
      await Promise.all(members.map(([, process]) => process.stop()));
    }
  }

  /** The way out when a stop takes too long: what is committed is safe, and the next start recovers. */
  kill(): void {
    for (const { pid } of this.#running.values()) {
      if (pid !== undefined) signal(pid, 'SIGKILL');
    }
  }

  async #start(name: string, launch: () => Promise<Launched>): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const { record, output } = this.#parts;
    const process = new Supervised(name, launch, {
      spawned: (child, pid) => record.spawned(child, pid),
      say: (line) => output.say(line),
    });
    this.#running.set(name, process);
    await process.start();
  }

  async #makeCertificates(): Promise<void> {
    const { dataDir, env } = this.#parts.plan;
    if (isTlsOn(env)) this.#endCertificates = await keepCertificates(dataDir);
    else removeCertificates(dataDir);
  }

  async #startPostgres(): Promise<void> {
    const { ports, secrets } = this.#parts.plan;
    await this.#start('postgres', () =>
      startPostgres({
        dataDir: this.#layout.postgres,
        port: ports.postgres,
        logFile: join(this.#layout.logs, 'postgres.log'),
        password: secrets.postgresPassword,
      }),
    );
  }

  async #startNats(): Promise<void> {
    const { output, plan } = this.#parts;
    const program = await findNatsServer({ log: (line) => output.say(line) });
    await this.#start('nats', () =>
      startNats({
        program,
        storeDir: this.#layout.nats,
        port: plan.ports.nats,
        logFile: join(this.#layout.logs, 'nats.log'),
      }),
    );
  }

  async #startSandbox(): Promise<void> {
    const { plan, output } = this.#parts;
    const program = join(ROOT, 'tools/sandbox-psp/dist/main.js');
    await this.#start('sandbox-psp', () => launchNode('sandbox-psp', program, sandboxEnvironment(plan), output));
    await this.#waitUntil(() => listens(plan.ports['sandbox-psp']));
  }

  async #startService(service: ServiceName): Promise<void> {
    const { plan, output } = this.#parts;
    const program = join(ROOT, 'apps', service, 'dist/main.js');
    await this.#start(service, () => launchNode(service, program, serviceEnvironment(service, plan), output));
  }

  /** All but the first one, each on a free port, which the registry tells. */
  #startReplicas(service: ServiceName): Promise<void>[] {
    if (service === 'gateway') return [];
    const { plan, output, options } = this.#parts;
    const program = join(ROOT, 'apps', service, 'dist/main.js');
    return Array.from({ length: (options.replicas[service] ?? 1) - 1 }, (_, index) => {
      const name = replicaName(service, index + 2);
      return this.#start(name, () => launchNode(name, program, replicaEnvironment(service, plan), output));
    });
  }

  async #servicesAnswer(services: readonly ServiceName[]): Promise<boolean> {
    const { ports } = this.#parts.plan;
    const answers = await Promise.all(services.map((service) => listens(ports[service])));
    if (answers.includes(false)) return false;
    // A gateway whose neighbour is left out is alive, but not ready until that one is started by hand.
    const path = services.length === SERVICES.length ? '/readyz' : '/livez';
    return !services.includes('gateway') || answersOk(`${this.url}${path}`);
  }

  #waitUntil(check: () => Promise<boolean>): Promise<void> {
    return waitUntil(check, [...this.#running.values()], this.#layout.logs, this.#stopping.signal);
  }

  /** A service that is run by hand gets the same environment; other tools find the addresses. */
  #writeForOtherTools(): void {
    const { plan } = this.#parts;
    mkdirSync(this.#layout.environments, { recursive: true, mode: 0o700 });
    for (const service of SERVICES) {
      const text = environmentFile(serviceEnvironment(service, plan));
      writeFileSync(join(this.#layout.environments, `${service}.env`), text, { mode: 0o600 });
    }
    const addresses = { gatewayUrl: this.url, ports: plan.ports };
    writeFileSync(this.#layout.ports, `${JSON.stringify(addresses, null, 2)}\n`);
  }
}

function replicaName(service: string, number: number): string {
  return `${service}-${number}`;
}

/** The service of a process, whichever replica it is. */
function serviceOf(name: string): string {
  return name.replace(/-\d+$/, '');
}
