/** What the checks read. Each statement compares what was committed together, also while people pay. */
import { Injectable } from '@nestjs/common';
import { Database, sql, uuidv7Floor } from '@souk/postgres';
import type { Payment } from '../domain/payment.js';
import { toPayment, type PaymentRow } from '../payments.rows.js';

const PAGE = 500;
const MOST = 1_000;

const BY_INTENTS = sql(
  'payments_checks.by_intents',
  `SELECT * FROM payments WHERE payment_id = ANY($1::uuid[])
   UNION SELECT * FROM payments WHERE provider_reference = ANY($2::text[]) AND provider_reference <> ''`,
);

const WITH_INTENT_AFTER = sql(
  'payments_checks.with_intent_after',
  `SELECT * FROM payments WHERE payment_id > $1 AND method = 'card' AND provider_reference <> ''
    ORDER BY payment_id LIMIT $2`,
);

/** Whatever is not settled is due again within six hours. */
export const NOT_SETTLED = `next_try_at < now() + interval '7 hours'`;
const LONG_AGO = `now() - interval '10 minutes'`;

const COUNT_NOT_SETTLED = sql(
  'payments_checks.count_not_settled',
  `SELECT (SELECT count(*)::int FROM payments WHERE ${NOT_SETTLED})
        + (SELECT count(*)::int FROM webhook_inbox WHERE next_try_at IS NOT NULL) AS count`,
);

const STUCK = sql(
  'payments_checks.stuck',
  `SELECT order_id, what FROM (
     SELECT order_id, next_try_at, CASE
       WHEN state = 'PROCESSING' AND created_at < ${LONG_AGO} THEN 'whether it was authorised is not known'
       WHEN state IN ('PROCESSING', 'AUTHORIZED', 'CAPTURED') AND cancel_requested_at < ${LONG_AGO} THEN 'it is to be called off'
       WHEN EXISTS (SELECT FROM captures WHERE captures.payment_id = payments.payment_id
                     AND captures.state = 'PROCESSING' AND captures.created_at < ${LONG_AGO}) THEN 'a capture is under way'
       WHEN EXISTS (SELECT FROM refunds WHERE refunds.payment_id = payments.payment_id
                     AND refunds.state = 'PROCESSING' AND refunds.created_at < ${LONG_AGO}) THEN 'a refund is under way'
       WHEN state = 'AUTHORIZED' AND capture_requested_at < ${LONG_AGO} THEN 'its money is wanted'
       WHEN state = 'AUTHORIZED' AND lapsed_at < ${LONG_AGO} THEN 'its money is to be let go' END AS what
       FROM payments WHERE ${NOT_SETTLED}) AS waiting
    WHERE what IS NOT NULL ORDER BY next_try_at LIMIT ${MOST}`,
);

const STUCK_NOTICES = sql(
  'payments_checks.stuck_notices',
  `SELECT event_id, reference, type FROM webhook_inbox
    WHERE next_try_at IS NOT NULL AND received_at < ${LONG_AGO} ORDER BY next_try_at LIMIT ${MOST}`,
);

const UNKNOWN_NOTICES = sql(
  'payments_checks.unknown_notices',
  `SELECT event_id, reference, type FROM webhook_inbox
    WHERE outcome = 'UNKNOWN_PAYMENT' AND received_at > now() - interval '3 days'
      AND (says IS NULL OR says NOT IN ('voided', 'declined'))
    ORDER BY received_at LIMIT ${MOST}`,
);

const PAYMENTS_AFTER = sql(
  'payments_checks.payments_after',
  `SELECT payment_id AS at, payment_id FROM payments WHERE payment_id > $1 ORDER BY payment_id LIMIT $2`,
);

const ENTRIES_AFTER = sql(
  'payments_checks.entries_after',
  `SELECT entry_id AS at, payment_id FROM ledger WHERE entry_id > $1 ORDER BY entry_id LIMIT $2`,
);

const OUT_OF_BALANCE = sql(
  'payments_checks.out_of_balance',
  `SELECT order_id, captured_amount, refunded_amount, disputed_amount, booked.*, moved.*
     FROM payments,
          LATERAL (SELECT coalesce(sum(amount) FILTER (WHERE credit = 'sales'), 0)::bigint AS booked_captured,
                          coalesce(sum(amount) FILTER (WHERE debit = 'refunds'), 0)::bigint AS booked_refunded,
                          coalesce(sum(CASE WHEN debit = 'disputes' THEN amount WHEN credit = 'disputes' THEN -amount END), 0)::bigint AS booked_disputed,
                          count(*) FILTER (WHERE ledger.currency <> payments.currency)::int AS in_other_currency
                     FROM ledger WHERE ledger.payment_id = payments.payment_id) AS booked,
          LATERAL (SELECT (SELECT coalesce(sum(amount), 0)::bigint FROM captures
                            WHERE captures.payment_id = payments.payment_id AND state = 'SUCCEEDED') AS moved_captured,
                          (SELECT coalesce(sum(amount), 0)::bigint FROM refunds
                            WHERE refunds.payment_id = payments.payment_id AND state = 'SUCCEEDED') AS moved_refunded) AS moved
    WHERE payment_id = ANY($1::uuid[])
      AND ((captured_amount, refunded_amount, disputed_amount, 0)
             <> (booked_captured, booked_refunded, booked_disputed, in_other_currency)
           OR (captured_amount, refunded_amount) <> (moved_captured, moved_refunded))`,
);

/** A payment that somebody waits for. */
export interface StuckPayment {
  readonly order_id: string;
  readonly what: string;
}

/** A notice that changed nothing yet. */
export interface StuckNotice {
  readonly event_id: string;
  readonly reference: string;
  readonly type: string;
}

/** What the payment, the ledger, and its captures and refunds say. */
export interface Imbalance {
  readonly order_id: string;
  readonly captured_amount: bigint;
  readonly refunded_amount: bigint;
  readonly disputed_amount: bigint;
  readonly booked_captured: bigint;
  readonly booked_refunded: bigint;
  readonly booked_disputed: bigint;
  readonly in_other_currency: number;
  readonly moved_captured: bigint;
  readonly moved_refunded: bigint;
}

@Injectable()
export class ChecksStore {
  constructor(private readonly database: Database) {}

  /** By our identifiers or the provider's; without captures and refunds. */
  async byIntents(paymentIds: readonly string[], references: readonly string[]): Promise<Payment[]> {
    const rows = await this.database.query<PaymentRow>(BY_INTENTS, [paymentIds, references]);
    return rows.map(toPayment);
  }

  /** Pages of the card payments since then that the provider knows; without captures and refunds. */
  async *withIntentSince(since: Date): AsyncIterable<Payment[]> {
    for (let after: string | undefined = uuidv7Floor(since); after;) {
      const rows: PaymentRow[] = await this.database.query<PaymentRow>(WITH_INTENT_AFTER, [after, PAGE]);
      yield rows.map(toPayment);
      after = rows.length === PAGE ? rows.at(-1)?.payment_id : undefined;
    }
  }

  /** How many payments and notices wait for a step. */
  async countNotSettled(): Promise<number> {
    const [row] = await this.database.query<{ count: number }>(COUNT_NOT_SETTLED);
    return row?.count ?? 0;
  }

  stuckPayments(): Promise<StuckPayment[]> {
    return this.database.query<StuckPayment>(STUCK);
  }

  stuckNotices(): Promise<StuckNotice[]> {
    return this.database.query<StuckNotice>(STUCK_NOTICES);
  }

  unknownNotices(): Promise<StuckNotice[]> {
    return this.database.query<StuckNotice>(UNKNOWN_NOTICES);
  }

  /** Pages of the payments that were made, or of which something was booked, since then. */
  async *movedSince(since: Date): AsyncIterable<string[]> {
    for (const statement of [PAYMENTS_AFTER, ENTRIES_AFTER]) {
      for (let after: string | undefined = uuidv7Floor(since); after;) {
        const rows: { at: string; payment_id: string }[] = await this.database.query(statement, [after, PAGE]);
        yield [...new Set(rows.map((row) => row.payment_id))];
        after = rows.length === PAGE ? rows.at(-1)?.at : undefined;
      }
    }
  }

  outOfBalance(paymentIds: readonly string[]): Promise<Imbalance[]> {
    return this.database.query<Imbalance>(OUT_OF_BALANCE, [paymentIds]);
  }
}
