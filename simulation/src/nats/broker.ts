/**
 * A NATS JetStream: streams, durable consumers, acknowledgements. It delivers at least once and in order until something
 * has to be delivered again; forgets a message's id after two minutes; and may lose what it has acknowledged.
 */
import type { MsgHdrs } from '@nats-io/transport-node';
import type { Host } from '../host.ts';
import type { Network } from '../network.ts';
import type { Scheduler } from '../scheduler.ts';
import { Consumer } from './consumer.ts';

export interface StoredMessage {
  readonly seq: number;
  readonly subject: string;
  readonly header: MsgHdrs;
  readonly data: Uint8Array;
}

export interface Publication extends Omit<StoredMessage, 'seq'> {
  /** What repetitions are known by. */
  readonly id: string;
}

export class Stream {
  readonly name: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly messages = new Map<number, StoredMessage>();
  readonly consumers = new Map<string, Consumer>();
  readonly ids = new Map<string, { seq: number; at: number }>();
  lastSeq = 0;

  constructor(name: string, config: Readonly<Record<string, unknown>>) {
    this.name = name;
    this.config = config;
  }
}

const DUPLICATE_WINDOW_MS = 2 * 60 * 1000;

export class Broker {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly streams = new Map<string, Stream>();
  isUp = true;
  /** Consumers that there ever were, by stream. */
  private readonly durables = new Map<string, Set<string>>();

  constructor(scheduler: Scheduler, network: Network) {
    this.scheduler = scheduler;
    this.network = network;
  }

  /** Makes a stream; one that is there already stays. */
  addStream(name: string, config: Readonly<Record<string, unknown>>): void {
    if (!this.streams.has(name)) this.streams.set(name, new Stream(name, config));
  }

  /** @returns where the message is, and whether it was there before */
  publish({ id, ...message }: Publication): { stream: string; seq: number; duplicate: boolean } {
    const stream = this.streamOf(message.subject);
    if (!stream) throw new Error('no response from stream');
    const known = stream.ids.get(id);
    const { now } = this.scheduler;
    if (known && now - known.at < DUPLICATE_WINDOW_MS) return { stream: stream.name, seq: known.seq, duplicate: true };
    const seq = (stream.lastSeq += 1);
    stream.messages.set(seq, { seq, ...message });
    stream.ids.set(id, { seq, at: now });
    for (const consumer of stream.consumers.values()) consumer.pump();
    return { stream: stream.name, seq, duplicate: false };
  }

  addConsumer(streamName: string, durable: string, subject: string): Consumer {
    const stream = this.streams.get(streamName);
    if (!stream) throw new Error('stream not found');
    const consumer = stream.consumers.get(durable) ?? new Consumer(this, stream, durable, subject);
    stream.consumers.set(durable, consumer);
    const durables = this.durables.get(streamName) ?? new Set();
    this.durables.set(streamName, durables.add(durable));
    return consumer;
  }

  /** Consumers that have not had everything yet, or that nobody has made again since they were lost. */
  get behind(): string[] {
    return [...this.durables].flatMap(([stream, durables]) =>
      [...durables].filter((durable) => this.streams.get(stream)?.consumers.get(durable)?.isCaughtUp !== true),
    );
  }

  /** The disk of the broker is lost, and with it the stream and where its consumers were. */
  loseStream(name: string): void {
    const stream = this.streams.get(name);
    this.streams.delete(name);
    stream?.consumers.forEach((consumer) => consumer.end());
  }

  /** A message that was acknowledged is not there any more. */
  loseMessage(name: string, seq: number): void {
    this.streams.get(name)?.messages.delete(seq);
  }

  /** A message on its way from a process; lost where the broker is away. */
  receive(host: Host, work: () => void): void {
    this.scheduler.after(this.network.delay(), () => {
      // What a process sent in its last moment may still arrive.
      if (this.isUp && (host.isUp || this.network.fate() === 'arrives')) work();
    });
  }

  private streamOf(subject: string): Stream | undefined {
    const service = subject.split('.')[1]?.toUpperCase() ?? '';
    return this.streams.get(subject.startsWith('dead.') ? 'DEAD_LETTERS' : service);
  }
}
