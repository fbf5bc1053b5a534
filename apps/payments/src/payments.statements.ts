/**
 * The statements on payments, captures and refunds. Leases and deadlines are always measured by the database's clock.
 * A statement that waits for a payment's row sees its captures and refunds as they were before it waited: whoever has to
 * know them takes the row first and reads them by LOAD.
 */
import { sql } from '@souk/postgres';

const MOVEMENT = `'amount', amount::text, 'state', state, 'createTime', created_at`;
const PARTS = `
  (SELECT coalesce(jsonb_agg(jsonb_build_object('sequence', sequence, 'final', final, ${MOVEMENT}) ORDER BY sequence), '[]')
     FROM captures WHERE captures.payment_id = payments.payment_id) AS captures,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('refundId', refund_id, 'reason', reason, 'reference', provider_reference,
                                                ${MOVEMENT}) ORDER BY created_at, refund_id), '[]')
     FROM refunds WHERE refunds.payment_id = payments.payment_id) AS refunds`;

export const GET = sql('payments.get', `SELECT *, ${PARTS} FROM payments WHERE order_id = $1`);

export const LOAD = sql('payments.load', `SELECT *, ${PARTS} FROM payments WHERE payment_id = ANY($1::uuid[])`);

/** Without captures and refunds. */
export const GET_MANY = sql('payments.get_many', `SELECT * FROM payments WHERE order_id = ANY($1::uuid[])`);

/** Without captures and refunds. */
export const GET_BY_REFERENCES = sql(
  'payments.get_by_references',
  `SELECT * FROM payments WHERE provider_reference = ANY($1::text[]) AND provider_reference <> ''`,
);

/** Opens a payment under a lease; no row where the order has a payment. Who dies now is stood in for when the lease ends. */
export const OPEN = sql(
  'payments.open',
  `INSERT INTO payments (payment_id, order_id, state, method, amount, currency, token, email, version, created_at, updated_at,
                         next_try_at, lease_until, epoch)
   VALUES ($1, $2, 'PROCESSING', $3, $4, $5, $6, $7, 1, $8, $8,
           now() + $9 * interval '1 ms', now() + $9 * interval '1 ms', 1)
   ON CONFLICT (order_id) DO NOTHING
   RETURNING *`,
);

/** Writes payments that need no provider. RETURNING leaves those out whose order has a payment. */
export const INSERT_MANY = sql(
  'payments.insert_many',
  `INSERT INTO payments (payment_id, order_id, state, method, amount, currency, version, created_at, updated_at, cancel_requested_at)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::int[],
                        $8::timestamptz[], $9::timestamptz[], $10::timestamptz[])
   ON CONFLICT (order_id) DO NOTHING
   RETURNING payment_id`,
);

export const TAKE_LEASE = sql(
  'payments.take_lease',
  `UPDATE payments SET lease_until = now() + $2 * interval '1 ms', epoch = epoch + 1
    WHERE order_id = $1 AND (lease_until IS NULL OR lease_until < now())
   RETURNING *`,
);

export const TAKE_LEASE_BY_INTENT = sql(
  'payments.take_lease_by_intent',
  `UPDATE payments SET lease_until = now() + $3 * interval '1 ms', epoch = epoch + 1
    WHERE payment_id = (SELECT payment_id FROM payments WHERE payment_id = $2::uuid
                        UNION SELECT payment_id FROM payments WHERE provider_reference = $1 AND provider_reference <> '' LIMIT 1)
      AND (lease_until IS NULL OR lease_until < now())
   RETURNING *`,
);

export const KNOWS_INTENT = sql(
  'payments.knows_intent',
  `SELECT 1 AS known FROM payments WHERE payment_id = $2::uuid
   UNION ALL SELECT 1 FROM payments WHERE provider_reference = $1 AND provider_reference <> '' LIMIT 1`,
);

/** Takes the leases of payments whose next step is due, and notes of those that nobody captured in time that they lapsed. */
export const CLAIM_DUE = sql(
  'payments.claim_due',
  `UPDATE payments SET lease_until = now() + $2 * interval '1 ms', epoch = epoch + 1,
          lapsed_at = CASE WHEN state = 'AUTHORIZED' AND capture_by <= now() THEN coalesce(lapsed_at, now()) ELSE lapsed_at END
    WHERE payment_id IN (
      SELECT payment_id FROM payments
       WHERE next_try_at <= now() AND (lease_until IS NULL OR lease_until < now())
       ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING *`,
);

export const REQUEST_CANCEL = sql(
  'payments.request_cancel',
  `UPDATE payments SET cancel_requested_at = coalesce(cancel_requested_at, now()),
          wishes = wishes + (cancel_requested_at IS NULL)::int,
          next_try_at = CASE WHEN state IN ('PROCESSING', 'AUTHORIZED', 'CAPTURED') THEN now() ELSE next_try_at END
    WHERE order_id = $1
   RETURNING payment_id`,
);

/**
 * Notes that the money of these orders is wanted. What was called off, or cannot be captured any more, is left alone.
 * RETURNING names the orders that have no payment at all.
 */
export const REQUEST_CAPTURES = sql(
  'payments.request_captures',
  `WITH noted AS (
     UPDATE payments SET capture_requested_at = now(), wishes = wishes + 1, next_try_at = now()
      WHERE order_id = ANY($1::uuid[]) AND state IN ('PROCESSING', 'AUTHORIZED')
        AND capture_requested_at IS NULL AND cancel_requested_at IS NULL AND lapsed_at IS NULL)
   SELECT order_id FROM unnest($1::uuid[]) AS wanted (order_id)
    WHERE NOT EXISTS (SELECT FROM payments WHERE payments.order_id = wanted.order_id)`,
);

/** Until the transaction ends, nobody else asks for a capture or a refund of the payment, or changes it. */
export const LOCK = sql('payments.lock', `SELECT payment_id FROM payments WHERE order_id = $1 FOR NO KEY UPDATE`);

/** Says that a capture or a refund was put on record. */
export const NOTE_WISH = sql(
  'payments.note_wish',
  `UPDATE payments SET wishes = wishes + 1, next_try_at = now() WHERE payment_id = $1`,
);

export const PUT_CAPTURES = sql(
  'payments.put_captures',
  `INSERT INTO captures (payment_id, sequence, amount, final, state, created_at)
   SELECT $1, * FROM unnest($2::int[], $3::bigint[], $4::boolean[], $5::text[], $6::timestamptz[])
   ON CONFLICT (payment_id, sequence) DO UPDATE SET state = EXCLUDED.state`,
);

export const PUT_REFUNDS = sql(
  'payments.put_refunds',
  `INSERT INTO refunds (payment_id, refund_id, amount, state, reason, provider_reference, created_at)
   SELECT $1, * FROM unnest($2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
   ON CONFLICT (refund_id) DO UPDATE SET state = EXCLUDED.state, provider_reference = EXCLUDED.provider_reference`,
);

export const BOOK = sql(
  'payments.book',
  `INSERT INTO ledger (payment_id, entry_id, cause, debit, credit, amount, currency)
   SELECT $1, * FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::text[])`,
);

/**
 * Begins a call, or repeats the last one: the same key as long as it may still be answered. $3 is the lease to renew, $5
 * the wishes that the step knows of; null where it does not matter. No row where the lease went to somebody else, or a
 * wish came that the step does not know of.
 */
export const BEGIN_ATTEMPT = sql(
  'payments.begin_attempt',
  `WITH held AS (
     UPDATE payments SET lease_until = now() + $3 * interval '1 ms'
      WHERE payment_id = $1 AND epoch = $2 AND wishes = coalesce($5, wishes)
     RETURNING payment_id),
   last AS (
     SELECT attempt, outcome FROM payment_attempts WHERE payment_id = $1 AND operation = $4 ORDER BY attempt DESC LIMIT 1)
   INSERT INTO payment_attempts AS a (payment_id, operation, attempt)
   SELECT payment_id, $4, coalesce((SELECT attempt + (outcome IN ('SPENT', 'REFUSED') IS TRUE)::int FROM last), 1) FROM held
   ON CONFLICT (payment_id, operation, attempt) DO UPDATE SET calls = a.calls + 1, called_at = now()
   RETURNING attempt, calls, (extract(epoch FROM now() - started_at) * 1000)::float8 AS age_ms`,
);

export const FINISH_ATTEMPT = sql(
  'payments.finish_attempt',
  `UPDATE payment_attempts SET outcome = $4, detail = $5, finished_at = now()
    WHERE payment_id = $1 AND operation = $2 AND attempt = $3`,
);

/**
 * Writes a change under a lease; no row where the lease went to somebody else, or a wish came that the change does not
 * know of. With $13 the lease ends, and the next try is after $14 ms, or when an authorisation has to be captured ($15).
 */
export const SAVE = sql(
  'payments.save',
  `UPDATE payments SET state = $4, captured_amount = $5, refunded_amount = $6, disputed_amount = $7,
          provider_reference = $8, decline_code = $9, version = $10, updated_at = $11, tries = $12,
          token = CASE WHEN $4 = 'PROCESSING' THEN token ELSE '' END,
          email = CASE WHEN $4 = 'PROCESSING' THEN email ELSE '' END,
          counted_for = CASE WHEN $4 = 'PROCESSING' THEN counted_for ELSE '' END,
          lease_until = CASE WHEN $13 THEN NULL ELSE lease_until END,
          capture_by = CASE WHEN $4 = 'AUTHORIZED' AND method = 'card' THEN coalesce(capture_by, now() + $15::float8 * interval '1 ms') END,
          next_try_at = CASE
            WHEN NOT $13 THEN next_try_at
            WHEN $14::float8 IS NOT NULL THEN now() + $14::float8 * interval '1 ms'
            WHEN $4 = 'AUTHORIZED' AND method = 'card' THEN coalesce(capture_by, now() + $15::float8 * interval '1 ms') END
    WHERE payment_id = $1 AND epoch = $2 AND wishes = $3
   RETURNING *`,
);
