// A connection to NATS that nobody waits for, and messages that may be lost: told to whoever listens now, kept by nobody.
// Guarantees: it is made as soon as NATS is there and made again for ever; what was subscribed to is subscribed to each time.
// While NATS is away, publishing says no at once, and nothing is kept to be sent late.
import { setTimeout as sleep } from 'node:timers/promises';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { metrics, type Logger } from '@souk/telemetry';
import { connectionOptions, type ConnectOptions } from './event-bus.js';

/** A wire that has gone silent is given up after two of these. */
const PING_MS = 5_000;

const connectedGauge = metrics.gauge('souk_nats_connected');

type Listener = (data: Uint8Array) => void;

export interface BroadcastOptions extends Omit<ConnectOptions, 'url' | 'logger'> {
  /** None: there is no NATS, and this one stays alone. */
  url?: string | undefined;
  logger: Pick<Logger, 'info' | 'warn'>;
}

/** Messages to all that listen now; a provider that Nest closes at the end. */
export class Broadcast {
  private readonly listeners = new Set<readonly [subject: string, listener: Listener]>();
  private readonly ending = new AbortController();
  private readonly run: Promise<void>;
  private connection: NatsConnection | undefined;
  private live = false;

  /** Starts to connect, and returns at once. */
  constructor(private readonly options: BroadcastOptions) {
    connectedGauge.set(0);
    if (!options.url) options.logger.info('NATS_URL is not set: nothing is shared with other replicas');
    this.run = options.url ? this.keepConnected(options.url) : Promise.resolve();
  }

  /** True while NATS can be reached. */
  get connected(): boolean {
    return this.live;
  }

  /** Sends a message to all who listen, oneself left out; false where NATS is away, and the message is gone. */
  publish(name: string, data: Uint8Array): boolean {
    if (!this.live) return false;
    this.connection?.publish(this.subject(name), data);
    return true;
  }

  /** Listens from now on, or from when NATS is there; the listener must not throw. */
  subscribe(name: string, listener: Listener): void {
    const entry = [this.subject(name), listener] as const;
    this.listeners.add(entry);
    if (this.connection) listen(this.connection, entry);
  }

  async onApplicationShutdown(): Promise<void> {
    this.ending.abort();
    await this.connection?.close();
    await this.run;
  }

  private subject(name: string): string {
    return this.options.prefix ? `${this.options.prefix}.${name}` : name;
  }

  private async keepConnected(url: string): Promise<void> {
    let said = false;
    while (!this.ending.signal.aborted) {
      try {
        await this.stayConnected(await this.open(url));
        said = false;
      } catch (error) {
        if (!said) this.options.logger.warn({ err: error }, 'NATS is away; working on without it');
        said = true;
      }
      await sleep(this.options.retryMs ?? 500, undefined, { signal: this.ending.signal }).catch(() => undefined);
    }
  }

  private open(url: string): Promise<NatsConnection> {
    return connect({ ...connectionOptions({ ...this.options, url }), noEcho: true, pingInterval: PING_MS });
  }

  /** Resolves when the connection is closed for good, which NATS does only where it refuses its user. */
  private async stayConnected(connection: NatsConnection): Promise<void> {
    if (this.ending.signal.aborted) return connection.close();
    this.connection = connection;
    this.listeners.forEach((entry) => listen(connection, entry));
    this.is(true, 'NATS answers');
    for await (const { type } of connection.status()) {
      if (type === 'disconnect' && this.live) this.is(false, 'NATS is away; working on without it');
      else if (type === 'reconnect') this.is(true, 'NATS is back');
    }
    await connection.closed();
    this.connection = undefined;
    if (this.live) this.is(false, 'the connection to NATS is closed');
  }

  private is(live: boolean, message: string): void {
    this.live = live;
    connectedGauge.set(live ? 1 : 0);
    if (this.ending.signal.aborted) return;
    if (live) this.options.logger.info(message);
    else this.options.logger.warn(message);
  }
}

function listen(connection: NatsConnection, [subject, listener]: readonly [string, Listener]): void {
  connection.subscribe(subject, {
    callback: (error, message) => {
      if (!error) listener(message.data);
    },
  });
}
