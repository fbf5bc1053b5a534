/** The event bus of a process: what libs/events, libs/outbox and libs/inbox use of the NATS client, on the simulated broker. */
import { JetStreamApiCodes, JetStreamApiError, type JsMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from '@nats-io/transport-node';
import { EventBus } from '@souk/events';
import type { Host } from '../host.ts';
import type { Broker, Stream } from './broker.ts';

const ANSWER_TIMEOUT_MS = 5_000;
const NOT_FOUND_STATUS = 404;

export function simulatedBus(broker: Broker, host: Host): EventBus {
  const connection = new Connection(broker, host);
  const js = { publish: connection.publish, consumers: { get: connection.consumer } };
  const jsm = { streams: streamsOf(connection), consumers: consumersOf(connection) };
  const handle = { isClosed: () => false };
  return Reflect.construct(EventBus, [handle, js, jsm, '']) as EventBus;
}

class Connection {
  readonly broker: Broker;
  private readonly host: Host;

  constructor(broker: Broker, host: Host) {
    this.broker = broker;
    this.host = host;
  }

  readonly publish = (subject: string, data: Uint8Array, { headers, msgID }: { headers: MsgHdrs; msgID?: string }) =>
    this.ask(() => this.broker.publish({ subject, data, header: headers, id: msgID ?? headers.get('Nats-Msg-Id') }));

  readonly consumer = async (stream: string, durable: string) => ({
    consume: (options: { max_messages: number; callback: (message: JsMsg) => void }) =>
      this.ask(() => this.subscribe(stream, durable, options)),
  });

  /** Asks the broker something: it may not hear of it, and its answer may be lost. */
  ask<T>(work: () => T): Promise<T> {
    const { scheduler, network } = this.broker;
    const { host } = this;
    return new Promise((resolve, reject) => {
      const fate = network.fate();
      const timeout = scheduler.after(ANSWER_TIMEOUT_MS, () => reject(new Error('timeout')), host);
      if (fate === 'request lost') return;
      const answer = (settle: () => void) => {
        if (fate === 'answer lost') return;
        scheduler.after(network.delay(), () => (timeout.cancel(), settle()), host);
      };
      this.broker.receive(host, () => {
        try {
          const result = work();
          answer(() => resolve(result));
        } catch (error) {
          answer(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      });
    });
  }

  stream(name: string): Stream {
    const stream = this.broker.streams.get(name);
    if (!stream) throw apiError(JetStreamApiCodes.StreamNotFound, 'stream not found');
    return stream;
  }

  private subscribe(
    name: string,
    durable: string,
    options: { max_messages: number; callback: (message: JsMsg) => void },
  ) {
    const consumer = this.stream(name).consumers.get(durable);
    if (!consumer) throw apiError(JetStreamApiCodes.ConsumerNotFound, 'consumer not found');
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const { scheduler } = this.broker;
    const remove = consumer.add({
      host: this.host,
      window: options.max_messages,
      onMessage: options.callback,
      onEnd: () => scheduler.after(ANSWER_TIMEOUT_MS, end, this.host),
      outstanding: 0,
      lastArrival: 0,
    });
    return {
      close: async () => remove(),
      async *status() {
        await ended;
        yield { type: 'consumer_deleted' };
      },
    };
  }
}

function streamsOf(connection: Connection) {
  return {
    info: (name: string) =>
      connection.ask(() => {
        const { config, lastSeq } = connection.stream(name);
        return { config, state: { first_seq: 1, last_seq: lastSeq } };
      }),
    add: (config: { name: string }) => connection.ask(() => connection.broker.addStream(config.name, config)),
    update: () => connection.ask(() => undefined),
    getMessage: (name: string, { seq }: { seq: number }) =>
      connection.ask(() => connection.stream(name).messages.get(seq) ?? null),
  };
}

function consumersOf(connection: Connection) {
  return {
    info: (stream: string, durable: string) =>
      connection.ask(() => {
        const consumer = connection.stream(stream).consumers.get(durable);
        if (!consumer) throw apiError(JetStreamApiCodes.ConsumerNotFound, 'consumer not found');
        return {};
      }),
    add: (stream: string, config: { durable_name: string; filter_subject: string }) =>
      connection.ask(() => void connection.broker.addConsumer(stream, config.durable_name, config.filter_subject)),
  };
}

function apiError(code: number, description: string): JetStreamApiError {
  return new JetStreamApiError({ code: NOT_FOUND_STATUS, err_code: code, description });
}
