/** Where a run looks: the databases, the streams and the provider's books, all of them without any link in between. */
import { DeliverPolicy, AckPolicy, jetstream, jetstreamManager, type ConsumerInfo } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { GRPC_SERVICES } from '@souk/runner';
import pg from 'pg';
import type { Cluster } from './cluster.ts';
import { HttpClient } from './http.ts';
import type { ProviderBooks, StreamEvent } from './world.ts';

// Money and identifiers of movements are far below 2^53.
pg.types.setTypeParser(pg.types.builtins.INT8, Number);

const FETCH = 500;

export class Sources {
  readonly services = GRPC_SERVICES;
  /** Services with an outbox. */
  publishers: readonly string[] = [];
  readonly provider: HttpClient;
  readonly #pools: ReadonlyMap<string, pg.Pool>;
  readonly #nats: NatsConnection;

  private constructor(cluster: Cluster, nats: NatsConnection) {
    this.#nats = nats;
    this.provider = new HttpClient(cluster.port('provider'));
    this.#pools = new Map(
      GRPC_SERVICES.map((service) => {
        const pool = new pg.Pool({ connectionString: cluster.databaseUrl(service), max: 2 });
        pool.on('error', () => undefined);
        return [service, pool] as const;
      }),
    );
  }

  static async open(cluster: Cluster): Promise<Sources> {
    const nats = await connect({ servers: `127.0.0.1:${cluster.port('nats')}`, maxReconnectAttempts: -1 });
    const sources = new Sources(cluster, nats);
    const found = await Promise.all(GRPC_SERVICES.map((service) => sources.hasTable(service, 'outbox')));
    sources.publishers = GRPC_SERVICES.filter((_, index) => found[index]);
    return sources;
  }

  async rows<R extends object>(service: string, query: string): Promise<R[]> {
    const pool = this.#pools.get(service);
    if (!pool) throw new Error(`${service} has no database.`);
    return (await pool.query<R>(query)).rows;
  }

  async hasTable(service: string, table: string): Promise<boolean> {
    const found = await this.rows(service, `SELECT 1 WHERE to_regclass('public.${table}') IS NOT NULL`);
    return found.length > 0;
  }

  /** @returns a sentence where there are any */
  async count(service: string, what: string, from: string): Promise<string[]> {
    const [row] = await this.rows<{ count: number }>(service, `SELECT count(*) AS count ${from}`);
    return row && row.count > 0 ? [`${row.count} ${what}`] : [];
  }

  async books(): Promise<ProviderBooks> {
    const { status, body } = await this.provider.call({ path: '/_sandbox/ledger' });
    if (status !== 200) throw new Error(`The provider's books answered ${status}.`);
    return body as unknown as ProviderBooks;
  }

  async undeliveredNotices(): Promise<string[]> {
    const { undelivered_notices: count } = await this.books();
    return count > 0 ? [`${count} notices of the provider to deliver`] : [];
  }

  async unreadEvents(): Promise<string[]> {
    const consumers = await this.consumers();
    return consumers.flatMap(({ stream_name, name, num_pending, num_ack_pending }) => {
      const unread = num_pending + num_ack_pending;
      return unread > 0 ? [`${unread} events of ${stream_name} that ${name} has not handled`] : [];
    });
  }

  async streams(): Promise<string[]> {
    const jsm = await jetstreamManager(this.#nats);
    const names: string[] = [];
    for await (const name of jsm.streams.names()) names.push(name);
    return names;
  }

  /** The durable consumers of all streams. */
  async consumers(): Promise<ConsumerInfo[]> {
    const jsm = await jetstreamManager(this.#nats);
    const found: ConsumerInfo[] = [];
    for (const stream of await this.streams()) {
      for await (const info of jsm.consumers.list(stream)) if (info.config.durable_name) found.push(info);
    }
    return found;
  }

  /** What is on a stream, in its order. */
  async events(stream: string): Promise<StreamEvent[]> {
    const jsm = await jetstreamManager(this.#nats);
    const { state } = await jsm.streams.info(stream);
    if (state.messages === 0) return [];
    const name = `chaos-${Date.now()}`;
    await jsm.consumers.add(stream, {
      name,
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.All,
      headers_only: true,
      mem_storage: true,
      inactive_threshold: 60_000_000_000,
    });
    const consumer = await jetstream(this.#nats).consumers.get(stream, name);
    const events: StreamEvent[] = [];
    while (events.length < state.messages) {
      const batch = await consumer.fetch({ max_messages: FETCH, expires: 5_000 });
      const before = events.length;
      for await (const { seq, headers } of batch) {
        const header = (field: string) => headers?.get(field) ?? '';
        events.push({ seq, id: header('ce-id'), type: header('ce-type'), aggregateId: header('ce-subject') });
        if (events.length === state.messages) break;
      }
      if (events.length === before) throw new Error(`The stream ${stream} gave ${before} of ${state.messages} events.`);
    }
    await jsm.consumers.delete(stream, name);
    return events;
  }

  /** Puts the last events of a stream on it once more, as a relay does that was away for longer than the broker remembers. */
  async publishAgain(stream: string, count: number): Promise<void> {
    const jsm = await jetstreamManager(this.#nats);
    const { state } = await jsm.streams.info(stream);
    const first = Math.max(state.first_seq, state.last_seq - count + 1);
    for (let seq = first; seq <= state.last_seq; seq++) {
      const message = await jsm.streams.getMessage(stream, { seq });
      if (!message) continue;
      message.header.set('Nats-Msg-Id', `${message.header.get('ce-id')}/${state.last_seq}`);
      await jetstream(this.#nats).publish(message.subject, message.data, { headers: message.header });
    }
  }

  async close(): Promise<void> {
    this.provider.close();
    await Promise.all([...this.#pools.values()].map((pool) => pool.end()));
    await this.#nats.close();
  }
}
