// Hands the events of one type to one handler. Guarantees: the handler's writes happen once per event, since they are
// committed together with the event's row in the inbox, and the broker is told afterwards; events that arrive meanwhile are handled
// together in the next transaction. An event that keeps failing goes to the dead letters and the others go on, so later
// events of the same aggregate may overtake it: handlers compare versions, or do what may be done in any order.
// While the database is away nothing counts as a failed try. What a handler does outside of its transaction may happen twice.
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsMsg } from '@nats-io/jetstream';
import type { EventBus } from '@souk/events';
import { isDatabaseUnavailable, type Database, type Transaction } from '@souk/postgres';
import { metrics, type Logger } from '@souk/telemetry';
import { writeDeadLetter } from './dead-letter.js';
import { handleEvents } from './handling.js';
import { pruneInbox } from './inbox.js';
import {
  isReadable,
  toDelivery,
  type Delivery,
  type RawEvent,
  type Readable,
  type ReceivedEvent,
} from './received-event.js';
import type { AnyConsumer, Redelivered, Redelivery } from './redelivery.js';
import { Subscription } from './subscription.js';
import { Watchdog } from './watchdog.js';

/** What a consumer needs. */
export interface EventConsumerOptions<T> {
  database: Database;
  bus: EventBus;
  logger: Logger;
  /** Name on the broker and in the inbox: `<service>-<Event>`, for example `inventory-OrderConfirmed`. */
  durable: string;
  /** Full name of the protobuf message, for example `souk.orders.v1.OrderConfirmed`. */
  type: string;
  /** `Message.fromJSON`. */
  decode: (json: unknown) => T;
  /** Does the work, in the transaction; gets new events only, in the order of the stream. May be called again when the transaction fails. */
  handle: (tx: Transaction, events: ReceivedEvent<T>[]) => Promise<void>;
  /** Called after each commit, for example to wake the outbox relay. */
  afterCommit?: () => void;
  /** Tries before an event goes to the dead letters (8). */
  maxDeliver?: number;
  /** Most events of one transaction (100). */
  batch?: number;
  /** Pauses between the tries; the last one repeats (1, 2, 5, 15, 60 s). */
  retryDelaysMs?: number[];
  /** After how long without a sign of life the broker hands an event to another replica (30 s). */
  ackWaitMs?: number;
  /** After how long without progress a consumer with events to handle counts as stuck (60 s). */
  stallMs?: number;
}

const KEEP_MS = 60 * 24 * 60 * 60 * 1000;
const PRUNE_EVERY_MS = 10 * 60 * 1000;
const PRUNE_BATCH = 1_000;
const AWAY_PAUSE_MS = 500;

const deadLetters = metrics.counter('inbox_dead_letters_total');

/** Consumes one type of event, durably. */
export class EventConsumer<T> implements AnyConsumer {
  private readonly options: Required<EventConsumerOptions<T>>;
  private readonly subscription: Subscription;
  private readonly watchdog: Watchdog;
  private readonly waiting: JsMsg[] = [];
  private stopped = false;
  private working?: Promise<void>;
  private nextPrune = Date.now() + PRUNE_EVERY_MS;

  constructor(options: EventConsumerOptions<T>) {
    this.options = {
      afterCommit: () => undefined,
      maxDeliver: 8,
      batch: 100,
      retryDelaysMs: [1_000, 2_000, 5_000, 15_000, 60_000],
      ackWaitMs: 30_000,
      stallMs: 60_000,
      ...options,
    };
    const { batch: window } = this.options;
    const onMessage = (message: JsMsg) => this.receive(message);
    this.subscription = new Subscription({ ...this.options, window, onMessage });
    this.watchdog = new Watchdog({ ...this.options, subscription: this.subscription });
  }

  get durable(): string {
    return this.options.durable;
  }

  get type(): string {
    return this.options.type;
  }

  /** Returns once events flow; waits for the broker where it is away. */
  async start(): Promise<void> {
    await this.subscription.open();
    if (!this.stopped) this.watchdog.start();
  }

  /** Finishes the transaction that is under way; what still waits goes back to the broker. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.watchdog.stop();
    await this.subscription.close();
    await this.working;
    this.waiting.splice(0).forEach((message) => this.giveBack(message, 0));
  }

  /** Hands messages that were kept to the handler, together or, where that fails, one by one. */
  async redeliver(messages: readonly RawEvent[], how: Redelivery = {}): Promise<Redelivered[]> {
    const deliveries = messages.map((message) => toDelivery(message, this.options.decode, how.replayed));
    try {
      const handed = await handleEvents(this.options, deliveries.map(readable), how.again);
      return deliveries.map(({ event }) => (event && handed.has(event.id) ? 'handled' : 'skipped'));
    } catch (error) {
      if (messages.length <= 1) return messages.map(() => asError(error));
    }
    const outcomes: Redelivered[] = [];
    for (const message of messages) outcomes.push(...(await this.redeliver([message], how)));
    return outcomes;
  }

  private receive(message: JsMsg): void {
    if (this.stopped) {
      this.giveBack(message, 0);
      return;
    }
    this.waiting.push(message);
    // One turn of the event loop, so that messages of one packet go together.
    this.working ??= new Promise((resolve) => setImmediate(() => resolve(this.work())));
  }

  private async work(): Promise<void> {
    while (this.waiting.length > 0 && !this.stopped) {
      await this.settle(this.waiting.splice(0, this.options.batch).map((m) => toDelivery(m, this.options.decode)));
      await this.prune();
    }
    this.working = undefined;
  }

  private async settle(deliveries: Delivery<T, JsMsg>[]): Promise<void> {
    const readable = deliveries.filter(isReadable);
    for (const delivery of deliveries) {
      if (!isReadable(delivery)) {
        await this.retryLater(delivery.message, delivery.error);
      }
    }
    if (readable.length > 0) {
      await this.settleReadable(readable);
    }
  }

  private async settleReadable(deliveries: Readable<T, JsMsg>[]): Promise<void> {
    try {
      await this.handleWhenPossible(deliveries);
    } catch (error) {
      if (deliveries.length > 1) {
        await this.settleOneByOne(deliveries);
      } else {
        await this.retryLater((deliveries[0] as Readable<T, JsMsg>).message, error);
      }
      return;
    }
    for (const { message } of deliveries) {
      message.ack();
      this.subscription.done(message);
    }
  }

  private async settleOneByOne(deliveries: Readable<T, JsMsg>[]): Promise<void> {
    for (const delivery of deliveries) {
      await this.settleReadable([delivery]);
    }
  }

  private async handleWhenPossible(deliveries: Readable<T, JsMsg>[]): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await handleEvents(
          this.options,
          deliveries.map(({ event }) => event),
        );
        return;
      } catch (error) {
        if (this.stopped || !isDatabaseUnavailable(error)) {
          throw error;
        }
        if (attempt === 1) {
          this.options.logger.warn({ err: error, durable: this.options.durable }, 'events wait for the database');
        }
        await sleep(AWAY_PAUSE_MS);
      }
    }
  }

  private async retryLater(message: JsMsg, error: unknown): Promise<void> {
    const { logger, durable, maxDeliver, retryDelaysMs } = this.options;
    const tries = message.info.deliveryCount;
    const details = { err: error, durable, eventId: message.headers?.get('ce-id'), tries, sequence: message.seq };
    const trace = { traceparent: message.headers?.get('traceparent') };
    if (tries >= maxDeliver && !isDatabaseUnavailable(error)) {
      logger.error({ ...details, ...trace }, 'an event is given up and goes to the dead letters');
      await this.bury(message, error);
      return;
    }
    logger.warn({ ...details, ...trace }, 'an event could not be handled; trying again later');
    this.giveBack(message, retryDelaysMs[Math.min(tries, retryDelaysMs.length) - 1] ?? 0);
  }

  private async bury(message: JsMsg, error: unknown): Promise<void> {
    const { bus, durable, logger } = this.options;
    try {
      await writeDeadLetter(bus, durable, message, error);
    } catch (failure) {
      logger.error({ err: failure, durable }, 'the dead letter could not be written; trying again later');
      this.giveBack(message, 5_000);
      return;
    }
    message.term();
    this.subscription.done(message);
    deadLetters.inc({ consumer: durable });
  }

  private giveBack(message: JsMsg, delayMs: number): void {
    message.nak(delayMs);
    this.subscription.done(message);
  }

  private async prune(): Promise<void> {
    if (Date.now() < this.nextPrune) {
      return;
    }
    const { database, durable, logger } = this.options;
    try {
      const pruned = await pruneInbox(database, durable, new Date(Date.now() - KEEP_MS), PRUNE_BATCH);
      this.nextPrune = pruned < PRUNE_BATCH ? Date.now() + PRUNE_EVERY_MS : 0;
    } catch (error) {
      this.nextPrune = Date.now() + PRUNE_EVERY_MS;
      logger.warn({ err: error, durable }, 'old rows of the inbox could not be deleted');
    }
  }
}

function readable<T>(delivery: Delivery<T, RawEvent>): ReceivedEvent<T> {
  if (isReadable(delivery)) return delivery.event;
  throw asError(delivery.error);
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
