// The connection to NATS. Guarantees: it is made as soon as NATS with JetStream is there, however long that takes, and
// made again for ever when it breaks. While it is broken, publishing fails within five seconds; nothing is kept here, since
// the outbox keeps it.
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import type { Logger } from '@souk/telemetry';

/** How to connect. */
export interface ConnectOptions {
  /** One address, or several with commas between them. */
  url: string;
  /** Shown by NATS. */
  name: string;
  logger?: Pick<Logger, 'info' | 'warn'>;
  /** Put before every subject and stream, so that tests share a server without meeting each other. */
  prefix?: string;
  /** Pause between tries (500 ms). */
  retryMs?: number;
}

/** What every connection of Souk to NATS has in common. */
export function connectionOptions({ url, name, retryMs = 500 }: Pick<ConnectOptions, 'url' | 'name' | 'retryMs'>) {
  return {
    servers: url.split(','),
    name,
    maxReconnectAttempts: -1,
    // Otherwise each publish builds two stack traces, which cost more than the publish itself.
    noAsyncTraces: true,
    reconnectTimeWait: retryMs,
    timeout: 5_000,
  };
}

/** A connection with its JetStream handles. */
export class EventBus {
  private constructor(
    readonly connection: NatsConnection,
    readonly js: JetStreamClient,
    readonly jsm: JetStreamManager,
    readonly prefix: string,
  ) {}

  /** Opens the connection once; throws where NATS or its JetStream is not there. Services use `connectEvents`. */
  static async open(options: ConnectOptions): Promise<EventBus> {
    const { prefix = '' } = options;
    const connection = await connect(connectionOptions(options));
    try {
      const jsm = await jetstreamManager(connection, { timeout: 5_000 });
      return new EventBus(connection, jetstream(connection, { timeout: 5_000 }), jsm, prefix);
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  /** The subject on this bus, for example `souk.orders.v1.OrderConfirmed`. */
  subject(name: string): string {
    return this.prefix ? `${this.prefix}.${name}` : name;
  }

  /** The stream's name on this bus, for example `ORDERS`. */
  stream(name: string): string {
    return this.prefix ? `${this.prefix}-${name}` : name;
  }

  /** True while NATS can be reached. */
  get connected(): boolean {
    return !this.connection.isClosed() && this.live;
  }

  /** Sends what is buffered and closes; at once where NATS is away. */
  async close(): Promise<void> {
    if (this.connection.isClosed()) {
      return;
    }
    await (this.live ? this.connection.drain() : this.connection.close());
  }

  private live = true;

  /** Follows the connection's state until it is closed. */
  async watch(logger?: Pick<Logger, 'info' | 'warn'>): Promise<void> {
    for await (const status of this.connection.status()) {
      if (status.type === 'disconnect') {
        this.live = false;
        logger?.warn('NATS is away; reconnecting');
      } else if (status.type === 'reconnect') {
        this.live = true;
        logger?.info('NATS is back');
      }
    }
  }
}

/** Connects, waiting for NATS where it is not there yet. */
export async function connectEvents(options: ConnectOptions): Promise<EventBus> {
  for (let attempt = 1; ; attempt++) {
    try {
      const bus = await EventBus.open(options);
      if (attempt > 1) {
        options.logger?.info('NATS answers');
      }
      void bus.watch(options.logger);
      return bus;
    } catch (error) {
      if (attempt === 1) {
        options.logger?.warn({ err: error }, 'waiting for NATS');
      }
      await sleep(options.retryMs ?? 500);
    }
  }
}
