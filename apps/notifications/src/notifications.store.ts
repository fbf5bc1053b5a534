// Mails and where they stand. Guarantees: one mail per order and kind, and one per request of identity; one worker at a time
// has a mail, and a worker that lost it to another one (its lease ran out) can no longer begin to hand it over. A mail that
// was SENDING when its worker died is FAILED and never sent again. What a mail about an account says, which may let its
// reader in, is gone once the mail is SENT or FAILED. Does not guarantee an order among the mails.
import { randomUUID } from 'node:crypto';
import { sql, uuidv7, type Database, type Transaction } from '@souk/postgres';
import { Order } from '@souk/proto/orders/v1';
import { accountSubject, type AccountNews } from './account-mail.js';
import { subjectOf, type NotificationKind, type OrderNews } from './order-mail.js';

export type NotificationState = 'QUEUED' | 'SENDING' | 'SENT' | 'FAILED';

export interface Notification {
  readonly notificationId: string;
  readonly orderId: string;
  readonly kind: NotificationKind;
  readonly recipient: string;
  readonly subject: string;
  readonly state: NotificationState;
  readonly createdAt: Date;
  readonly sentAt?: Date;
}

/** A mail that a worker has. */
export interface QueuedMail {
  readonly notificationId: string;
  readonly recipient: string;
  readonly news: OrderNews | AccountNews;
  readonly createdAt: Date;
  /** How often it was tried, this time included. */
  readonly tries: number;
}

/** What became of a mail. */
export interface Settlement {
  readonly notificationId: string;
  readonly state: 'QUEUED' | 'SENT' | 'FAILED';
  readonly error?: string;
  /** Seconds until it is tried again, where it is QUEUED. */
  readonly pauseSeconds?: number;
}

const INSERT = sql(
  'notifications.insert',
  `INSERT INTO notifications (notification_id, order_id, kind, recipient, subject, content)
   SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::jsonb[]) AS n (id, order_id)
    ORDER BY order_id
   ON CONFLICT ON CONSTRAINT notifications_cause DO NOTHING`,
);
// Old ones go with each new one, a few at a time; identity has long given up repeating what they were asked for by.
const INSERT_ACCOUNT_MAIL = sql(
  'notifications.insert_account_mail',
  `WITH forgotten AS (DELETE FROM notifications WHERE notification_id IN (
     SELECT notification_id FROM notifications
      WHERE request_id IS NOT NULL AND created_at < now() - interval '30 days' ORDER BY created_at LIMIT 10))
   INSERT INTO notifications (notification_id, request_id, kind, recipient, subject, content)
   VALUES ($1, $2, $3, $4, $5, $6)
   ON CONFLICT ON CONSTRAINT notifications_request DO NOTHING`,
);
const CLAIM = sql(
  'notifications.claim',
  `WITH due AS (SELECT notification_id FROM notifications
                 WHERE state = 'QUEUED' AND due_at <= now()
                 ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED)
   UPDATE notifications n SET claim = $1, tries = tries + 1, due_at = now() + make_interval(secs => $3)
     FROM due WHERE n.notification_id = due.notification_id
   RETURNING n.notification_id, n.kind, n.recipient, n.content, n.created_at, n.tries`,
);
const BEGIN = sql(
  'notifications.begin',
  `UPDATE notifications SET state = 'SENDING', due_at = now() + make_interval(secs => $3)
    WHERE notification_id = $1 AND claim = $2 AND state = 'QUEUED' RETURNING notification_id`,
);
// A worker that was slow, and not dead, has the last word on what it began.
const SETTLE = sql(
  'notifications.settle',
  `UPDATE notifications n
      SET state = s.state, last_error = s.error, due_at = now() + make_interval(secs => s.pause),
          sent_at = CASE WHEN s.state = 'SENT' THEN now() END,
          content = CASE WHEN n.request_id IS NULL OR s.state = 'QUEUED' THEN n.content ELSE '{}' END
     FROM unnest($2::uuid[], $3::text[], $4::text[], $5::float8[]) AS s (id, state, error, pause)
    WHERE n.notification_id = s.id AND n.claim = $1`,
);
const FAIL_ABANDONED = sql(
  'notifications.fail_abandoned',
  `UPDATE notifications SET state = 'FAILED', last_error = $1,
          content = CASE WHEN request_id IS NULL THEN content ELSE '{}' END
    WHERE state = 'SENDING' AND due_at <= now() RETURNING notification_id`,
);
const LIST = sql(
  'notifications.list',
  `SELECT notification_id, order_id, kind, recipient, subject, state, created_at, sent_at FROM notifications
    WHERE order_id = $1 ORDER BY created_at, notification_id LIMIT 100`,
);

const NOT_KNOWN_TO_HAVE_ARRIVED = 'The worker died while handing it over; not known to have arrived.';

interface Row {
  notification_id: string;
  order_id: string;
  kind: NotificationKind;
  recipient: string;
  subject: string;
  content: OrderContent | AccountNews;
  state: NotificationState;
  tries: number;
  created_at: Date;
  sent_at: Date | null;
}

interface OrderContent {
  order: unknown;
  tracking: string;
}

export class NotificationsStore {
  constructor(private readonly database: Database) {}

  /** Writes a mail for each, in one statement; nothing where there is one of that kind about that order. */
  async insert(tx: Transaction, news: readonly OrderNews[]): Promise<void> {
    await tx.query(INSERT, [
      news.map(() => uuidv7()),
      news.map(({ order }) => order.orderId),
      news.map(({ kind }) => kind),
      news.map(({ order }) => order.email),
      news.map(({ kind, order }) => subjectOf(kind, order.number)),
      news.map(contentOf),
    ]);
  }

  /** Writes the mail; nothing where there is one by that request. */
  async insertAccountMail(requestId: string, recipient: string, news: AccountNews): Promise<void> {
    const values = [uuidv7(), requestId, news.kind, recipient, accountSubject(news.kind), JSON.stringify(news)];
    await this.database.query(INSERT_ACCOUNT_MAIL, values);
  }

  /** Takes up to `limit` mails that are due, for `leaseSeconds`. */
  async claim(limit: number, leaseSeconds: number): Promise<{ claim: string; mails: QueuedMail[] }> {
    const claim = randomUUID();
    const rows = await this.database.query<Row>(CLAIM, [claim, limit, leaseSeconds]);
    return { claim, mails: rows.map(toQueuedMail) };
  }

  /** Notes that the mail is being handed over from now on; false where it is no longer this worker's. */
  async begin(claim: string, notificationId: string, leaseSeconds: number): Promise<boolean> {
    return (await this.database.query(BEGIN, [notificationId, claim, leaseSeconds])).length > 0;
  }

  async settle(claim: string, settlements: readonly Settlement[]): Promise<void> {
    if (settlements.length === 0) return;
    await this.database.query(SETTLE, [
      claim,
      settlements.map(({ notificationId }) => notificationId),
      settlements.map(({ state }) => state),
      settlements.map(({ error }) => error ?? null),
      settlements.map(({ pauseSeconds }) => pauseSeconds ?? 0),
    ]);
  }

  /** Gives up what dead workers were handing over; answers how many. */
  async failAbandoned(): Promise<number> {
    return (await this.database.query(FAIL_ABANDONED, [NOT_KNOWN_TO_HAVE_ARRIVED])).length;
  }

  /** The mails about an order, oldest first, at most 100. */
  async list(orderId: string): Promise<Notification[]> {
    return (await this.database.query<Row>(LIST, [orderId])).map(toNotification);
  }
}

function contentOf({ order, tracking }: OrderNews): string {
  return JSON.stringify({ order: Order.toJSON({ ...order, timeline: [] }), tracking });
}

function toQueuedMail(row: Row): QueuedMail {
  const { notification_id: notificationId, recipient, tries, created_at: createdAt } = row;
  return { notificationId, recipient, tries, createdAt, news: toNews(row) };
}

function toNews({ kind, content }: Row): OrderNews | AccountNews {
  if (!('order' in content)) return content;
  return { kind, order: Order.fromJSON(content.order), tracking: content.tracking };
}

function toNotification(row: Row): Notification {
  return {
    notificationId: row.notification_id,
    orderId: row.order_id,
    kind: row.kind,
    recipient: row.recipient,
    subject: row.subject,
    state: row.state,
    createdAt: row.created_at,
    sentAt: row.sent_at ?? undefined,
  };
}
