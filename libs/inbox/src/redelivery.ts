// Handing events over once more: from the dead letters, or from the stream.
import type { RawEvent } from './received-event.js';

/** How events are handed over once more. */
export interface Redelivery {
  /** Marks them as replayed. */
  readonly replayed?: boolean;
  /** Also those that the consumer has handled before. */
  readonly again?: boolean;
}

/** What became of an event that was handed over once more; an error where its handler failed. */
export type Redelivered = 'handled' | 'skipped' | Error;

/** How many events were handed over once more, and what became of them. */
export interface ReplayCount {
  handled: number;
  skipped: number;
  failed: number;
}

/** Any consumer, whatever its events are. */
export interface AnyConsumer {
  /** Its name on the broker. */
  readonly durable: string;
  /** Full name of the message of its events. */
  readonly type: string;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Hands messages that were kept to the handler, together or, where that fails, one by one. */
  redeliver(messages: readonly RawEvent[], how?: Redelivery): Promise<Redelivered[]>;
}
