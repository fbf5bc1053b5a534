/**
 * What clients did and what they were told. An operation whose answer never came, or came from half-way, is unknown: it may
 * have happened. The checks compare what is stored afterwards with what is written here.
 */
import { createWriteStream, type WriteStream } from 'node:fs';

export type OperationKind =
  | 'place order'
  | 'cancel order'
  | 'read order'
  | 'fulfil order'
  | 'capture order'
  | 'refund order'
  | 'count stock'
  | 'adjust stock'
  | 'fill cart'
  | 'hold cart';

export type Outcome = 'ok' | 'refused' | 'unknown';

export interface Line {
  readonly sku: string;
  readonly quantity: number;
}

/** One call of one client. */
export interface Operation {
  readonly kind: OperationKind;
  readonly actor: string;
  /** Milliseconds since the run began. */
  readonly began: number;
  readonly ended: number;
  readonly outcome: Outcome;
  /** 0 where no answer came. */
  readonly status: number;
  readonly reason?: string;
  /** Whose key it is, and the key. */
  readonly principal?: string;
  readonly key?: string;
  readonly cartId?: string;
  readonly sku?: string;
  /** What was ordered, where the client named lines. */
  readonly lines?: readonly Line[];
  /** Units set or added, or minor units to give back. */
  readonly amount?: number;
  readonly refundId?: string;
  /** When a cart's hold ends. */
  readonly expires?: string;
  /** The order as the answer told it. */
  readonly orderId?: string;
  readonly number?: string;
  readonly state?: string;
  readonly total?: number;
  readonly version?: number;
}

export class History {
  readonly operations: Operation[] = [];
  readonly #file: WriteStream;
  readonly #began = performance.now();

  constructor(path: string) {
    this.#file = createWriteStream(path);
  }

  now(): number {
    return Math.round(performance.now() - this.#began);
  }

  add(operation: Operation): void {
    this.operations.push(operation);
    this.#file.write(`${JSON.stringify(operation)}\n`);
  }

  of(kind: OperationKind): Operation[] {
    return this.operations.filter((operation) => operation.kind === kind);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.#file.end(resolve));
  }
}
