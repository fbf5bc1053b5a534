/** A durable consumer: what it has delivered to whom, and what has to be delivered again. */
import type { JsMsg } from '@nats-io/jetstream';
import type { Host } from '../host.ts';
import type { Timer } from '../scheduler.ts';
import type { Broker, StoredMessage, Stream } from './broker.ts';

const ACK_WAIT_MS = 30_000;

/** A process that is given the messages of a consumer. */
export interface Subscriber {
  readonly host: Host;
  readonly window: number;
  readonly onMessage: (message: JsMsg) => void;
  readonly onEnd: () => void;
  /** Delivered to it and not settled. */
  outstanding: number;
  lastArrival: number;
}

interface Delivery {
  readonly message: StoredMessage;
  readonly subscriber: Subscriber;
  timer: Timer;
}

export class Consumer {
  private readonly broker: Broker;
  private readonly stream: Stream;
  private readonly subject: string;
  private readonly durable: string;
  private readonly pending = new Map<number, Delivery>();
  private readonly counts = new Map<number, number>();
  private readonly again: number[] = [];
  private readonly subscribers: Subscriber[] = [];
  private cursor = 1;
  private turn = 0;

  constructor(broker: Broker, stream: Stream, durable: string, subject: string) {
    this.broker = broker;
    this.stream = stream;
    this.durable = durable;
    this.subject = subject;
  }

  /** True when everything was delivered and settled. */
  get isCaughtUp(): boolean {
    return this.pending.size === 0 && this.again.length === 0 && this.cursor > this.stream.lastSeq;
  }

  add(subscriber: Subscriber): () => void {
    this.subscribers.push(subscriber);
    const remove = () => {
      const index = this.subscribers.indexOf(subscriber);
      if (index >= 0) this.subscribers.splice(index, 1);
    };
    subscriber.host.atDeath(remove);
    this.pump();
    return remove;
  }

  /** The consumer is gone: its subscribers are told. */
  end(): void {
    for (const delivery of this.pending.values()) delivery.timer.cancel();
    this.pending.clear();
    this.subscribers.splice(0).forEach(({ onEnd }) => onEnd());
  }

  /** Delivers as much as somebody takes. */
  pump(): void {
    for (;;) {
      const subscriber = this.nextSubscriber();
      const message = subscriber && this.nextMessage();
      if (!message) return;
      this.deliver(message, subscriber);
    }
  }

  private nextSubscriber(): Subscriber | undefined {
    for (let tries = 0; tries < this.subscribers.length; tries += 1) {
      const subscriber = this.subscribers[(this.turn += 1) % this.subscribers.length];
      if (subscriber && subscriber.outstanding < subscriber.window) return subscriber;
    }
    return undefined;
  }

  private nextMessage(): StoredMessage | undefined {
    for (let seq = this.again.shift(); seq !== undefined; seq = this.again.shift()) {
      const message = this.stream.messages.get(seq);
      if (message) return message;
    }
    while (this.cursor <= this.stream.lastSeq) {
      const message = this.stream.messages.get(this.cursor);
      this.cursor += 1;
      if (message?.subject === this.subject) return message;
    }
    return undefined;
  }

  private deliver(message: StoredMessage, subscriber: Subscriber): void {
    const { scheduler, network } = this.broker;
    const { seq } = message;
    const count = (this.counts.get(seq) ?? 0) + 1;
    this.counts.set(seq, count);
    subscriber.outstanding += 1;
    const delivery: Delivery = { message, subscriber, timer: this.expiry(seq) };
    this.pending.set(seq, delivery);
    subscriber.lastArrival = Math.max(subscriber.lastArrival, scheduler.now + network.delay());
    const arrive = () => subscriber.onMessage(this.toMessage(delivery, count));
    scheduler.after(subscriber.lastArrival - scheduler.now, arrive, subscriber.host);
  }

  private expiry(seq: number): Timer {
    return this.broker.scheduler.after(ACK_WAIT_MS, () => this.deliverAgain(seq));
  }

  private deliverAgain(seq: number): void {
    if (this.settle(seq)) this.again.push(seq);
    this.pump();
  }

  private settle(seq: number): boolean {
    const delivery = this.pending.get(seq);
    if (!delivery) return false;
    delivery.timer.cancel();
    delivery.subscriber.outstanding -= 1;
    return this.pending.delete(seq);
  }

  private toMessage(delivery: Delivery, count: number): JsMsg {
    const { message, subscriber } = delivery;
    const { seq, header, data, subject } = message;
    const say = (work: () => void) => this.broker.receive(subscriber.host, work);
    const settle = () =>
      say(() => {
        // A late answer of somebody who had it before counts too.
        if (this.broker.network.fate() === 'arrives' && this.settle(seq)) this.pump();
      });
    const nak = (ms = 0) =>
      say(() => {
        if (this.pending.get(seq) !== delivery) return;
        delivery.timer.cancel();
        delivery.timer = this.broker.scheduler.after(ms, () => this.deliverAgain(seq));
      });
    const working = () =>
      say(() => {
        if (this.pending.get(seq) !== delivery) return;
        delivery.timer.cancel();
        delivery.timer = this.expiry(seq);
      });
    const info = { deliveryCount: count, streamSequence: seq, stream: this.stream.name, consumer: this.durable };
    return { seq, headers: header, data, subject, info, ack: settle, term: settle, nak, working } as unknown as JsMsg;
  }
}
