/** What the checks read of orders. Ages are measured by the database's clock. */
import { Injectable } from '@nestjs/common';
import type { Money } from '@souk/money';
import { Database, sql } from '@souk/postgres';
import type { SagaPhase } from '../domain/order.js';
import type { OrderState } from '../domain/order-state.js';

/** As much of an order as can be compared with what others keep. */
export interface ComparedOrder {
  readonly orderId: string;
  readonly state: OrderState;
  readonly phase: SagaPhase;
  readonly total: Money;
  readonly refundedAmount: bigint;
  readonly createTime: Date;
  /** Seconds since it last changed. */
  readonly idleS: number;
}

/** An order whose saga does not get on. */
export interface StuckOrder {
  readonly orderId: string;
  readonly state: OrderState;
  readonly parked: boolean;
  readonly failures: number;
  readonly error: string;
  readonly idleS: number;
}

interface ComparedRow {
  readonly order_id: string;
  readonly state: OrderState;
  readonly saga_phase: SagaPhase;
  readonly total_amount: bigint;
  readonly currency: string;
  readonly refunded_amount: bigint;
  readonly created_at: Date;
  readonly idle: number;
}

interface StuckRow {
  readonly order_id: string;
  readonly state: OrderState;
  readonly parked: boolean;
  readonly saga_failures: number;
  readonly saga_error: string | null;
  readonly idle: number;
}

/** Most orders of a page; as many as inventory and payments answer at once. */
export const PAGE = 500;

const CHANGED = sql(
  'orders_checks.changed',
  `SELECT order_id, updated_at::text AS changed_at FROM orders
    WHERE updated_at > now() - interval '3 days' AND (updated_at, order_id) > ($1::timestamptz, $2::uuid)
    ORDER BY updated_at, order_id LIMIT $3`,
);
const COMPARED = sql(
  'orders_checks.compared',
  `SELECT order_id, state, saga_phase, total_amount, currency, refunded_amount, created_at,
          extract(epoch FROM now() - updated_at)::float8 AS idle
     FROM orders WHERE order_id = ANY($1::uuid[])`,
);
const STUCK = sql(
  'orders_checks.stuck',
  `SELECT order_id, state, saga_parked_at IS NOT NULL AS parked, saga_failures, saga_error,
          extract(epoch FROM now() - updated_at)::float8 AS idle
     FROM orders
    WHERE saga_phase IN ('CHECKOUT', 'UNDO') AND (saga_parked_at IS NOT NULL OR updated_at < now() - interval '10 minutes')
    ORDER BY order_id LIMIT $1`,
);
const COUNT_UNFINISHED = sql(
  'orders_checks.count-unfinished',
  `SELECT count(*)::int AS count FROM orders WHERE saga_phase IN ('CHECKOUT', 'UNDO')`,
);

@Injectable()
export class ChecksStore {
  constructor(private readonly database: Database) {}

  /** Identifiers of the orders that changed in the last three days, page by page. */
  async *changedLately(): AsyncGenerator<string[]> {
    type Row = { order_id: string; changed_at: string };
    let last: Row | undefined = { order_id: '00000000-0000-0000-0000-000000000000', changed_at: '-infinity' };
    while (last) {
      const rows: Row[] = await this.database.query<Row>(CHANGED, [last.changed_at, last.order_id, PAGE]);
      if (rows.length > 0) yield rows.map((row) => row.order_id);
      // A page that is not full is the last one, though orders go on changing.
      last = rows.length === PAGE ? rows.at(-1) : undefined;
    }
  }

  /** The orders as they are now, by their identifiers. */
  async compared(orderIds: readonly string[]): Promise<Map<string, ComparedOrder>> {
    const rows = await this.database.query<ComparedRow>(COMPARED, [orderIds]);
    return new Map(rows.map((row) => [row.order_id, toComparedOrder(row)]));
  }

  /** Orders whose saga was given up, or is unfinished for longer than ten minutes. */
  async stuck(limit: number): Promise<StuckOrder[]> {
    const rows = await this.database.query<StuckRow>(STUCK, [limit]);
    return rows.map(({ order_id, saga_failures, saga_error, idle, ...row }) => ({
      ...row,
      orderId: order_id,
      failures: saga_failures,
      error: saga_error ?? '',
      idleS: idle,
    }));
  }

  async countUnfinished(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(COUNT_UNFINISHED);
    return row?.count ?? 0;
  }
}

function toComparedOrder(row: ComparedRow): ComparedOrder {
  return {
    orderId: row.order_id,
    state: row.state,
    phase: row.saga_phase,
    total: { amount: row.total_amount, currency: row.currency },
    refundedAmount: row.refunded_amount,
    createTime: row.created_at,
    idleS: row.idle,
  };
}
