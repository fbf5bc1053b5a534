/**
 * Who runs where, in a NATS key-value bucket in memory: each process writes its own entry every half second, and an entry that was
 * not written for two seconds is gone. Guarantees: while NATS is away, or silent, the last known instances stay; entries end only
 * while this process' own come back to it. It is connected and written again for ever. A process that cannot register says so once and
 * works on. An entry proves nothing: with TLS whoever is found there must show the certificate of its service; without it, NATS'
 * credentials guard the bucket.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, StorageType } from '@nats-io/jetstream';
import { Kvm, type KV, type KvEntry } from '@nats-io/kv';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { tellInstances } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import { readInstance, type RegisteredInstance, type RegisteredState } from './registered-instance.js';

const BEAT_MS = 500;
const EXPIRES_MS = 2_000;
const ANSWER_MS = 1_000;
/** Own entries come back within this time where NATS is alive. */
const ECHO_MS = 1_200;
const MOST_INSTANCES = 2_000;

export interface RegistryOptions {
  /** Addresses of NATS, with commas between them. */
  readonly url: string;
  /** Put before the bucket's name, so that several Souks can share one NATS. */
  readonly prefix: string;
  readonly service: string;
  /** Where this process is found, as far as it is known yet. */
  readonly address: string;
  readonly version: string;
  readonly logger: Pick<Logger, 'info' | 'warn'>;
}

interface Seen {
  readonly entry: RegisteredInstance;
  at: number;
}

export class Registry {
  readonly instance: string;
  private readonly seen = new Map<string, Seen>();
  private readonly told = new Set<string>();
  private readonly startedAt = new Date().toISOString();
  private readonly ending = new AbortController();
  private readonly beating: Promise<void>;
  private state: RegisteredState = 'starting';
  private address: string;
  private connection: NatsConnection | undefined;
  private bucket: KV | undefined;
  private opening: Promise<KV> | undefined;
  private echoAt = 0;
  private isHeard = false;

  /** Starts to connect, and returns at once. */
  constructor(private readonly options: RegistryOptions) {
    this.address = options.address;
    this.instance = `${options.service}-${randomBytes(6).toString('hex')}`;
    this.beating = this.keepBeating();
    void this.keepWatching();
    void this.keepExpiring();
  }

  /** Everybody who is known now. */
  get instances(): readonly RegisteredInstance[] {
    return [...this.seen.values()].map(({ entry }) => entry);
  }

  /** Whether this process hears from the registry, so that what it knows is not old. */
  get isLive(): boolean {
    return performance.now() - this.echoAt < ECHO_MS;
  }

  /** Tells all others; resolves when they can know it, or after a second. */
  async announce(state: RegisteredState, address = this.address): Promise<void> {
    this.state = state;
    this.address = address;
    await this.beat().catch(() => undefined);
  }

  /** Takes the own entry away, if that can be done within two seconds. */
  async close(): Promise<void> {
    this.ending.abort();
    // Only after the last beat: else what is being written now would come after the deletion.
    const gone = this.beating.then(() => this.bucket?.delete(this.key)).catch(() => undefined);
    await Promise.race([gone, sleep(2 * ANSWER_MS, undefined, { ref: false })]);
    await this.connection?.close();
  }

  private get key(): string {
    return `${this.options.service}.${this.instance}`;
  }

  private async keepBeating(): Promise<void> {
    let wasWell: boolean | undefined;
    await this.repeat(BEAT_MS, async () => {
      const fault = await this.beat().then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      // It may be that the bucket is gone with NATS' memory.
      if (fault) this.bucket = undefined;
      if (wasWell !== !fault) this.tell(fault);
      wasWell = !fault;
    });
  }

  private tell(fault: { error: unknown } | undefined): void {
    if (this.ending.signal.aborted) return;
    const { logger } = this.options;
    if (fault) logger.warn({ err: fault.error }, 'not registered: who looks for this process does not find it');
    else logger.info({ instance: this.instance }, 'registered');
  }

  private async beat(): Promise<void> {
    this.bucket ??= await this.openOnce();
    const { service, version } = this.options;
    const { instance, address, state, startedAt } = this;
    const entry: RegisteredInstance = { service, instance, address, version, state, startedAt };
    await this.bucket.put(this.key, JSON.stringify(entry));
  }

  /** Two beats at once share one connection. */
  private openOnce(): Promise<KV> {
    this.opening ??= this.open().finally(() => (this.opening = undefined));
    return this.opening;
  }

  private async open(): Promise<KV> {
    const { prefix } = this.options;
    this.connection ??= await this.connect();
    const manager = new Kvm(jetstream(this.connection, { timeout: ANSWER_MS }));
    const name = prefix ? `${prefix}-instances` : 'instances';
    return manager.create(name, { storage: StorageType.Memory, history: 1, ttl: EXPIRES_MS });
  }

  private async connect(): Promise<NatsConnection> {
    const { url, service } = this.options;
    const connection = await connect({
      servers: url.split(','),
      name: `${service} registry`,
      maxReconnectAttempts: -1,
      reconnectTimeWait: BEAT_MS,
      timeout: ANSWER_MS,
      noAsyncTraces: true,
    });
    if (this.ending.signal.aborted) await connection.close();
    this.ending.signal.throwIfAborted();
    return connection;
  }

  private keepWatching(): Promise<void> {
    return this.repeat(BEAT_MS, async () => {
      if (!this.bucket) return;
      const began = performance.now();
      const entries = await this.bucket.watch({ key: '>' });
      // A watch that was lost ends by itself, or falls silent.
      const guard = setInterval(() => {
        const isLost = performance.now() - Math.max(began, this.echoAt) > 2 * ECHO_MS;
        if (isLost || this.ending.signal.aborted) entries.stop();
      }, BEAT_MS);
      try {
        for await (const entry of entries) this.see(entry);
      } finally {
        clearInterval(guard);
      }
    });
  }

  private see(change: KvEntry): void {
    if (change.operation !== 'PUT') {
      if (this.seen.delete(change.key)) this.pass();
      return;
    }
    const entry = readInstance(change.string());
    if (!entry || change.key !== `${entry.service}.${entry.instance}`) return;
    const at = performance.now();
    if (entry.instance === this.instance) this.echoAt = at;
    const known = this.seen.get(change.key);
    if (!known && this.seen.size >= MOST_INSTANCES) return;
    this.seen.set(change.key, { entry, at });
    if (known?.entry.state !== entry.state || known.entry.address !== entry.address) this.pass();
  }

  private keepExpiring(): Promise<void> {
    return this.repeat(BEAT_MS / 2, async () => {
      const wasHeard = this.isHeard;
      this.isHeard = this.isLive;
      if (!this.isHeard) return;
      // All are as old as the silence was: they get time to be heard again.
      if (!wasHeard) this.seen.forEach((seen) => (seen.at = performance.now()));
      const oldest = performance.now() - EXPIRES_MS;
      const expired = [...this.seen].filter(([, { at }]) => at < oldest);
      for (const [key] of expired) this.seen.delete(key);
      if (expired.length > 0) this.pass();
    });
  }

  /** Hands on where calls may go: to those that are ready, or else about to end. */
  private pass(): void {
    const services = new Set(this.instances.map(({ service }) => service));
    for (const service of new Set([...services, ...this.told])) {
      const all = this.instances.filter((instance) => instance.service === service);
      const ready = all.filter(({ state }) => state === 'ready');
      const callable = ready.length > 0 ? ready : all.filter(({ state }) => state === 'draining');
      this.told.add(service);
      tellInstances(service, callable.map(({ address }) => address).sort());
    }
  }

  private async repeat(pauseMs: number, work: () => Promise<void>): Promise<void> {
    const { signal } = this.ending;
    while (!signal.aborted) {
      // What goes wrong is told by the beat.
      await work().catch(() => undefined);
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }
}
