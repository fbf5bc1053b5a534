/**
 * The work that orders leave, in Postgres. Guarantees: a saga is given to one process at a time, until its lease ends by the
 * database's clock; each taking raises the epoch, without which nothing can be written; a saga of a newer version than this process
 * knows is left to others. A parked saga keeps what it was about to do, and waits until somebody resumes or changes its order.
 */
import type { Database } from '@souk/postgres';
import type { Order } from './domain/order.js';
import { toOrder, type OrderRow } from './orders.rows.js';
import * as statements from './orders.statements.js';

/** A saga that its caller may run, and nobody else until the lease ends. */
export interface SagaTask {
  readonly order: Order;
  readonly epoch: number;
  /** Tries that failed since the order last changed. */
  readonly failures: number;
  /** Those that failed for a reason of the saga's own. */
  readonly faults: number;
}

export interface ParkedSaga {
  readonly order: Order;
  readonly failures: number;
  readonly error: string;
}

/** What became of a try that failed. */
export interface Setback {
  readonly delayMs: number;
  readonly error: string;
  /** Whether it will not pass by itself. */
  readonly fault: boolean;
  /** Whether it is given up until a person looks at it. */
  readonly park: boolean;
}

interface Backlog {
  readonly parked: number;
  /** Seconds since the order last changed whose saga is unfinished for the longest, parked ones aside; 0 where there is none. */
  readonly oldest: number;
}

export class SagasStore {
  constructor(
    private readonly database: Database,
    private readonly options: { readonly leaseMs: number; readonly sagaVersion: number },
  ) {}

  /** Takes over sagas whose owner died or that wait for another try. */
  async claimDue(limit: number): Promise<SagaTask[]> {
    type Row = OrderRow & { saga_epoch: number; saga_failures: number; saga_faults: number };
    const values = [limit, this.options.leaseMs, this.options.sagaVersion];
    const rows = await this.database.query<Row>(statements.CLAIM_DUE, values);
    return rows.map((row) => ({
      order: toOrder(row),
      epoch: row.saga_epoch,
      failures: row.saga_failures,
      faults: row.saga_faults,
    }));
  }

  /** Puts a saga that failed off, or parks it. Does nothing where it was taken over. */
  async postpone({ order, epoch }: SagaTask, { delayMs, error, fault, park }: Setback): Promise<void> {
    await this.database.query(statements.POSTPONE, [order.orderId, epoch, delayMs, error, fault, park]);
  }

  /** Makes an order's saga due at once, also a parked one; does nothing where it is finished. */
  async resume(orderId: string): Promise<void> {
    await this.database.query(statements.RESUME, [orderId]);
  }

  /** Oldest first. @param after lists the orders that are newer than this one */
  async listParked(limit: number, after?: string): Promise<ParkedSaga[]> {
    type Row = OrderRow & { saga_failures: number; saga_error: string | null };
    const rows = await this.database.query<Row>(statements.LIST_PARKED, [after ?? null, limit]);
    return rows.map((row) => ({ order: toOrder(row), failures: row.saga_failures, error: row.saga_error ?? '' }));
  }

  async backlog(): Promise<Backlog> {
    const [row] = await this.database.query<Backlog>(statements.BACKLOG);
    return row ?? { parked: 0, oldest: 0 };
  }
}
