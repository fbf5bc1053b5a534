/** The statements of the payments store. A lease is always measured by the database's clock. */
import { sql } from '@souk/postgres';

export const GET = sql('payments.get', `SELECT * FROM payments WHERE order_id = $1`);

export const GET_MANY = sql('payments.get_many', `SELECT * FROM payments WHERE order_id = ANY($1::uuid[])`);

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

/** Takes the leases of payments whose next step is due. */
export const CLAIM_DUE = sql(
  'payments.claim_due',
  `UPDATE payments SET lease_until = now() + $2 * interval '1 ms', epoch = epoch + 1
    WHERE payment_id IN (
      SELECT payment_id FROM payments
       WHERE next_try_at <= now() AND (lease_until IS NULL OR lease_until < now())
       ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING *`,
);

export const REQUEST_CANCEL = sql(
  'payments.request_cancel',
  `UPDATE payments SET cancel_requested_at = coalesce(cancel_requested_at, now()),
          next_try_at = CASE WHEN state IN ('PROCESSING', 'AUTHORIZED', 'CAPTURED') THEN now() ELSE next_try_at END
    WHERE order_id = $1
   RETURNING *`,
);

/**
 * Notes that the money of these orders is wanted. What was called off, or cannot be captured any more, is left alone.
 * RETURNING names the orders that have no payment at all.
 */
export const REQUEST_CAPTURES = sql(
  'payments.request_captures',
  `WITH noted AS (
     UPDATE payments SET capture_requested_at = now(), next_try_at = now()
      WHERE order_id = ANY($1::uuid[]) AND state IN ('PROCESSING', 'AUTHORIZED')
        AND capture_requested_at IS NULL AND cancel_requested_at IS NULL)
   SELECT order_id FROM unnest($1::uuid[]) AS wanted (order_id)
    WHERE NOT EXISTS (SELECT FROM payments WHERE payments.order_id = wanted.order_id)`,
);

/**
 * Begins a call, or repeats the last one: the same key as long as it may still be answered. $3 is the lease to renew.
 * No row where the lease went to somebody else.
 */
export const BEGIN_ATTEMPT = sql(
  'payments.begin_attempt',
  `WITH held AS (
     UPDATE payments SET lease_until = now() + $3 * interval '1 ms' WHERE payment_id = $1 AND epoch = $2 RETURNING payment_id),
   last AS (
     SELECT attempt, outcome FROM payment_attempts WHERE payment_id = $1 AND operation = $4 ORDER BY attempt DESC LIMIT 1)
   INSERT INTO payment_attempts AS a (payment_id, operation, attempt)
   SELECT payment_id, $4, coalesce((SELECT attempt + (outcome IS NOT DISTINCT FROM 'SPENT')::int FROM last), 1) FROM held
   ON CONFLICT (payment_id, operation, attempt) DO UPDATE SET calls = a.calls + 1, called_at = now()
   RETURNING attempt, calls, (extract(epoch FROM now() - started_at) * 1000)::float8 AS age_ms`,
);

export const FINISH_ATTEMPT = sql(
  'payments.finish_attempt',
  `UPDATE payment_attempts SET outcome = $4, detail = $5, finished_at = now()
    WHERE payment_id = $1 AND operation = $2 AND attempt = $3`,
);

/**
 * Writes a change under a lease. With $10 the lease ends and the next try is set, unless somebody has wished for something
 * meanwhile that this change did not know of.
 */
export const SAVE = sql(
  'payments.save',
  `UPDATE payments SET state = $3, captured_amount = $4, refunded_amount = $5, provider_reference = $6, decline_code = $7,
          version = $8, updated_at = $9, tries = $12,
          token = CASE WHEN $3 = 'PROCESSING' THEN token ELSE '' END,
          email = CASE WHEN $3 = 'PROCESSING' THEN email ELSE '' END,
          lease_until = CASE WHEN $10 AND (capture_requested_at IS NOT NULL) = $13 AND (cancel_requested_at IS NOT NULL) = $14
                             THEN NULL ELSE lease_until END,
          next_try_at = CASE WHEN $10 AND (capture_requested_at IS NOT NULL) = $13 AND (cancel_requested_at IS NOT NULL) = $14
                             THEN now() + $11::float8 * interval '1 ms' ELSE next_try_at END
    WHERE payment_id = $1 AND epoch = $2
   RETURNING *`,
);
