// The durable consumer on the broker and the messages that it gives. Guarantees: stream and consumer are made where they
// are missing, also when the broker lost them while we were listening; messages that wait here are kept ours, however
// slow the handler is, as long as this process lives.
import { setTimeout as sleep } from 'node:timers/promises';
import {
  AckPolicy,
  DeliverPolicy,
  JetStreamApiCodes,
  ReplayPolicy,
  type ConsumerMessages,
  type JsMsg,
} from '@nats-io/jetstream';
import { nanos, type Subscription as NatsSubscription } from '@nats-io/transport-node';
import { ensureStream, isApiError, serviceOf, streamName, type EventBus } from '@souk/events';
import type { Logger } from '@souk/telemetry';

/** What to listen to. */
export interface SubscriptionOptions {
  bus: EventBus;
  durable: string;
  type: string;
  /** Most messages asked for at a time. */
  window: number;
  /** After how long without a sign of life the broker hands a message to another replica. */
  ackWaitMs: number;
  logger: Logger;
  onMessage: (message: JsMsg) => void;
}

const RETRY_MS = 1_000;
/**
 * How long the broker keeps a request for messages; halfway it gives a sign of life. Where two of them are missing, the consumer
 * is gone: the broker does not always say so, when a stream that was deleted is made anew at once.
 */
const REQUEST_MS = 10_000;
const DRAIN_MS = 1_000;
const LOST = new Set(['consumer_not_found', 'stream_not_found', 'consumer_deleted', 'heartbeats_missed']);

/** Listens until it is stopped. */
export class Subscription {
  private messages?: ConsumerMessages;
  private stopped = false;
  private renewing?: Promise<void>;
  private readonly held = new Set<JsMsg>();
  private readonly keepAlive: NodeJS.Timeout;

  constructor(private readonly options: SubscriptionOptions) {
    this.keepAlive = setInterval(() => this.extend(), options.ackWaitMs / 3).unref();
  }

  /** True while no message is in hand. */
  get idle(): boolean {
    return this.held.size === 0;
  }

  /** Returns once messages flow; waits for the broker where it is away. */
  async open(): Promise<void> {
    for (let attempt = 1; !this.stopped; attempt++) {
      try {
        await this.listen();
        return;
      } catch (error) {
        if (attempt === 1) {
          this.options.logger.warn({ err: error, durable: this.options.durable }, 'waiting for the event stream');
        }
        await sleep(RETRY_MS);
      }
    }
  }

  /**
   * Asks for messages anew: what was asked for before is never answered.
   * @param consumer makes the consumer on the broker anew too
   */
  renew({ consumer = false } = {}): Promise<void> {
    this.renewing ??= this.listenAnew(consumer).finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** Says that the message was acknowledged or given back. */
  done(message: JsMsg): void {
    this.held.delete(message);
  }

  /** Asks for no more messages. */
  async close(): Promise<void> {
    this.stopped = true;
    clearInterval(this.keepAlive);
    if (this.messages) await this.end(this.messages);
  }

  /** What the broker sent before it heard of the end still arrives, so that it can be given back at once. */
  private async end(messages: ConsumerMessages): Promise<void> {
    if (this.options.bus.connected) await drain(messages);
    await messages.close();
  }

  private async listen(): Promise<void> {
    const { bus, durable, type, window } = this.options;
    await ensureConsumer(this.options);
    const consumer = await bus.js.consumers.get(bus.stream(streamName(type)), durable);
    const messages = await consumer.consume({
      max_messages: window,
      expires: REQUEST_MS,
      callback: (message) => {
        this.held.add(message);
        this.options.onMessage(message);
      },
    });
    this.messages = messages;
    if (this.stopped) {
      await this.end(messages);
      return;
    }
    void this.watch(messages);
  }

  private async listenAnew(consumer: boolean): Promise<void> {
    const { bus, durable, type } = this.options;
    await this.messages?.close();
    if (consumer && !this.stopped) await bus.jsm.consumers.delete(bus.stream(streamName(type)), durable);
    await this.open();
  }

  private extend(): void {
    this.held.forEach((message) => message.working());
  }

  private async watch(messages: ConsumerMessages): Promise<void> {
    for await (const { type } of messages.status()) {
      if (LOST.has(type) && messages === this.messages) {
        await this.renew();
        return;
      }
    }
  }
}

// The library itself drains only together with the whole connection.
async function drain(messages: ConsumerMessages): Promise<void> {
  const { sub } = messages as ConsumerMessages & { sub?: Pick<NatsSubscription, 'drain' | 'isClosed'> };
  if (sub && !sub.isClosed()) await Promise.race([sub.drain(), sleep(DRAIN_MS, undefined, { ref: false })]);
}

async function ensureConsumer({ bus, durable, type, ackWaitMs }: SubscriptionOptions): Promise<void> {
  await ensureStream(bus, serviceOf(type));
  const stream = bus.stream(streamName(type));
  try {
    await bus.jsm.consumers.info(stream, durable);
  } catch (error) {
    if (!isApiError(error, JetStreamApiCodes.ConsumerNotFound)) {
      throw error;
    }
    await bus.jsm.consumers.add(stream, {
      durable_name: durable,
      filter_subject: bus.subject(type),
      ack_policy: AckPolicy.Explicit,
      ack_wait: nanos(ackWaitMs),
      deliver_policy: DeliverPolicy.All,
      replay_policy: ReplayPolicy.Instant,
      // The broker would stop delivering in silence; the tries are counted here, and end in the dead letters.
      max_deliver: -1,
      max_ack_pending: 1_000,
    });
  }
}
