/** The statements on orders and their claims. Leases are measured by the database's clock, so that a process's own clock may be wrong. */
import { sql } from '@souk/postgres';

export const COLUMNS = `order_id, number, state, cancel_requested, lines, total_amount, currency, refunded_amount, email,
  shipping_address, payment_method, payment_token, client_digest, customer_id, cart_id, rejection, timeline, version, created_at, updated_at,
  saga_phase`;

const NEW_COLUMNS = `${COLUMNS}, lines_digest, guest_key, claim_principal, claim_key, claim_fingerprint, saga_version, saga_epoch,
  saga_failures`;

// The look-up of an alias is a subquery, which no planner turns into a join over all of them.
export const INSERT = sql(
  'orders.insert',
  `INSERT INTO orders (${NEW_COLUMNS}, saga_due_at)
   SELECT ${NEW_COLUMNS}, now() + $2 * interval '1 ms' FROM json_populate_recordset(NULL::orders, $1::json) AS n
    WHERE (SELECT a.order_id FROM claim_aliases AS a
            WHERE a.principal = n.claim_principal AND a.key = n.claim_key) IS NULL
   ON CONFLICT DO NOTHING RETURNING order_id`,
);

export const LOCK_CARTS = sql(
  'orders.lock-carts',
  `SELECT cart_id, version FROM carts WHERE cart_id = ANY($1::uuid[]) ORDER BY cart_id FOR UPDATE`,
);

// The list of ids keeps the planner, which knows nothing of the JSON, from reading the whole index. $3 are the orders whose
// saga the writer takes. Whatever changes an order gives a parked saga another chance.
export const UPDATE = sql(
  'orders.update',
  `UPDATE orders AS o
      SET state = u.state, cancel_requested = u.cancel_requested, refunded_amount = u.refunded_amount,
          payment_token = u.payment_token, client_digest = u.client_digest, rejection = u.rejection, timeline = u.timeline, version = u.version,
          updated_at = u.updated_at, saga_phase = u.saga_phase, saga_failures = 0, saga_faults = 0, saga_error = NULL,
          saga_parked_at = NULL,
          saga_epoch = o.saga_epoch + CASE WHEN o.order_id = ANY($3::uuid[]) THEN 1 ELSE 0 END,
          saga_due_at = CASE WHEN o.order_id = ANY($3::uuid[]) THEN now() + $4 * interval '1 ms'
                             WHEN o.saga_parked_at IS NOT NULL THEN now()
                             ELSE o.saga_due_at END
     FROM json_populate_recordset(NULL::orders, $1::json) AS u
    WHERE o.order_id = ANY($2::uuid[]) AND o.order_id = u.order_id AND o.version = u.version - 1
      AND (u.saga_epoch IS NULL OR o.saga_epoch = u.saga_epoch)
   RETURNING o.order_id, o.saga_epoch, o.saga_version`,
);

export const GET = sql('orders.get', `SELECT ${COLUMNS} FROM orders WHERE order_id = $1`);

export const LOCK = sql(
  'orders.lock',
  `SELECT ${COLUMNS} FROM orders WHERE order_id = ANY($1::uuid[]) ORDER BY order_id FOR UPDATE`,
);

export const FIND_CLAIM = sql(
  'orders.find-claim',
  `SELECT order_id, claim_fingerprint AS fingerprint FROM orders WHERE claim_principal = $1 AND claim_key = $2
   UNION ALL
   SELECT order_id, fingerprint FROM claim_aliases WHERE principal = $1 AND key = $2`,
);

export const FIND_TWIN = sql(
  'orders.find-twin',
  `SELECT order_id FROM orders
    WHERE customer_id = $1 AND lines_digest = $2 AND state = 'PENDING' AND NOT cancel_requested`,
);

// A refused order is no answer for another key; the lock keeps it from being refused until the alias is committed.
export const ADD_ALIAS = sql(
  'orders.add-alias',
  `INSERT INTO claim_aliases (principal, key, fingerprint, order_id)
   SELECT $1, $2, $3, order_id FROM orders
    WHERE order_id = $4 AND state <> 'REJECTED'
      AND NOT EXISTS (SELECT FROM orders WHERE claim_principal = $1 AND claim_key = $2)
      FOR SHARE
   ON CONFLICT DO NOTHING RETURNING order_id`,
);

// A new version, so that nobody orders what he read of the cart before.
export const JOIN_CART = sql(
  'orders.join-cart',
  `UPDATE carts SET twin_order_id = $2, version = version + 1, updated_at = now()
    WHERE cart_id = $1 AND NOT EXISTS (SELECT FROM orders AS o WHERE o.order_id = $2 AND o.cart_id = $1)`,
);

export const LIST = sql(
  'orders.list',
  `SELECT ${COLUMNS} FROM orders
    WHERE ($1::uuid IS NULL OR customer_id = $1) AND ($2::text IS NULL OR state = $2) AND ($3::uuid IS NULL OR order_id < $3)
    ORDER BY order_id DESC LIMIT $4`,
);

// The version stays: whoever has the order's token must not learn that somebody proved its address. Locked in
// one order, so that two who come at once don't wait for each other in a circle.
export const GIVE_TO_CUSTOMER = sql(
  'orders.give-to-customer',
  `UPDATE orders SET customer_id = $1
    WHERE customer_id IS NULL
      AND order_id IN (SELECT order_id FROM orders
                        WHERE customer_id IS NULL AND COALESCE(guest_key, lower(email COLLATE "C")) = $2 AND created_at <= $3
                        ORDER BY order_id LIMIT $4 FOR UPDATE)
   RETURNING order_id`,
);

export const CLAIM_DUE = sql(
  'sagas.claim-due',
  `UPDATE orders SET saga_epoch = saga_epoch + 1, saga_due_at = now() + $2 * interval '1 ms'
    WHERE order_id IN (SELECT order_id FROM orders
                        WHERE saga_phase IN ('CHECKOUT', 'UNDO') AND saga_due_at <= now() AND saga_version <= $3
                        ORDER BY saga_due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING ${COLUMNS}, saga_epoch, saga_failures, saga_faults`,
);

// $5 says whether it was the saga's own fault, $6 whether that was once too often.
export const POSTPONE = sql(
  'sagas.postpone',
  `UPDATE orders
      SET saga_failures = saga_failures + 1, saga_faults = saga_faults + CASE WHEN $5 THEN 1 ELSE 0 END, saga_error = $4,
          saga_parked_at = CASE WHEN $6 THEN now() END,
          saga_due_at = CASE WHEN $6 THEN 'infinity' ELSE now() + $3 * interval '1 ms' END
    WHERE order_id = $1 AND saga_epoch = $2`,
);

export const RESUME = sql(
  'sagas.resume',
  `UPDATE orders SET saga_parked_at = NULL, saga_due_at = now(), saga_failures = 0, saga_faults = 0
    WHERE order_id = $1 AND saga_phase IN ('CHECKOUT', 'UNDO')`,
);

export const LIST_PARKED = sql(
  'sagas.list-parked',
  `SELECT ${COLUMNS}, saga_failures, saga_error FROM orders
    WHERE saga_parked_at IS NOT NULL AND ($1::uuid IS NULL OR order_id > $1) ORDER BY order_id LIMIT $2`,
);

export const BACKLOG = sql(
  'sagas.backlog',
  `SELECT count(*) FILTER (WHERE saga_parked_at IS NOT NULL)::int AS parked,
          COALESCE(extract(epoch FROM now() - min(updated_at) FILTER (WHERE saga_parked_at IS NULL)), 0)::float8 AS oldest
     FROM orders WHERE saga_phase IN ('CHECKOUT', 'UNDO')`,
);
