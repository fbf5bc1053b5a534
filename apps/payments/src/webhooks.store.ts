/**
 * Notices of the provider. Guarantees: each is stored once, by the provider's identifier, and kept until it was acted on;
 * two processes never act on the same one at a time, unless the first takes longer than the claim lasts. Notices of
 * unknown payments stay, marked as such; of the others what they said is gone once they were acted on. Does not guarantee any order among them.
 */
import { Injectable } from '@nestjs/common';
import { Database, sql } from '@souk/postgres';
import type { News } from './domain/follow-provider.js';

/** What we read from a notice. The rest is only kept. */
export interface Notice {
  readonly eventId: string;
  readonly type: string;
  /** Provider's identifier of the intent; empty where the notice is about something else. */
  readonly reference: string;
  /** Our identifier, which the provider was told; null where it was not, or not by us. */
  readonly paymentId: string | null;
  /** What it says the provider holds; null where it says something else. */
  readonly says: News['says'] | null;
  /** How much was captured or refunded by then; null where it does not say. */
  readonly amount: bigint | null;
}

export interface DueNotice {
  readonly event_id: string;
  readonly reference: string;
  readonly payment_id: string | null;
  readonly says: News['says'] | null;
  readonly says_amount: bigint | null;
  readonly tries: number;
}

export type NoticeOutcome = 'APPLIED' | 'OLD_NEWS' | 'IGNORED' | 'UNKNOWN_PAYMENT';

const CLAIM_MS = 30_000;

const INSERT = sql(
  'webhooks.insert',
  `INSERT INTO webhook_inbox (event_id, type, reference, payment_id, says, says_amount, payload)
   VALUES ($1, $2, $3, $4, $5, $6, $7)
   ON CONFLICT (event_id) DO NOTHING
   RETURNING event_id`,
);

const CLAIM = sql(
  'webhooks.claim',
  `UPDATE webhook_inbox SET next_try_at = now() + $2 * interval '1 ms', tries = tries + 1
    WHERE event_id IN (
      SELECT event_id FROM webhook_inbox WHERE next_try_at <= now() ORDER BY next_try_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   RETURNING event_id, reference, payment_id, says, says_amount, tries`,
);

const FINISH = sql(
  'webhooks.finish',
  `UPDATE webhook_inbox
      SET outcome = $2, next_try_at = NULL, payload = CASE WHEN $2 = 'UNKNOWN_PAYMENT' THEN payload ELSE '{}' END
    WHERE event_id = ANY($1::text[])`,
);

// Who only waited for his turn has not tried.
const POSTPONE = sql(
  'webhooks.postpone',
  `UPDATE webhook_inbox SET next_try_at = now() + $2 * interval '1 ms', tries = tries - CASE WHEN $3 THEN 0 ELSE 1 END
    WHERE event_id = ANY($1::text[])`,
);

@Injectable()
export class WebhooksStore {
  constructor(private readonly database: Database) {}

  /** @returns false where the notice was stored before */
  async insert({ eventId, type, reference, paymentId, says, amount }: Notice, payload: string): Promise<boolean> {
    const rows = await this.database.query(INSERT, [eventId, type, reference, paymentId, says, amount, payload]);
    return rows.length > 0;
  }

  claim(limit: number): Promise<DueNotice[]> {
    return this.database.query<DueNotice>(CLAIM, [limit, CLAIM_MS]);
  }

  async finish(eventIds: readonly string[], outcome: NoticeOutcome): Promise<void> {
    if (eventIds.length === 0) return;
    await this.database.query(FINISH, [eventIds, outcome]);
  }

  /** @param hasFailed whether this counts as a try; a wait for another's lease does not */
  async postpone(eventIds: readonly string[], ms: number, hasFailed: boolean): Promise<void> {
    await this.database.query(POSTPONE, [eventIds, ms, hasFailed]);
  }
}
