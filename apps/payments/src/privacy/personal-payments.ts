/**
 * The personal data that payments keeps: what a payment needs of its buyer until the provider has answered, and notices of the
 * provider that nobody knew what to do with. Money records name nobody: they hang on the order, which is pseudonymised, and
 * stay as they are, with the ledger.
 */
import { sql, type Database } from '@souk/postgres';
import { PersonalData, type ErasedPage, type ExportedPage, type Subject } from '@souk/privacy';

const EXPORT = sql(
  'privacy.export',
  `SELECT p.payment_id, p.order_id, p.state, p.method, p.amount::text, p.currency, p.captured_amount::text, p.refunded_amount::text,
          p.decline_code, p.email, p.created_at,
          COALESCE((SELECT json_agg(json_build_object('amount', r.amount::text, 'state', r.state, 'reason', r.reason,
                                                      'created_at', r.created_at) ORDER BY r.created_at)
                      FROM refunds AS r WHERE r.payment_id = p.payment_id), '[]') AS refunds
     FROM payments AS p WHERE p.order_id = ANY($1::uuid[]) ORDER BY p.payment_id`,
);
// The worker clears both once the provider has answered; a repetition of the request must be the same until then.
const COUNT = sql(
  'privacy.count',
  `SELECT count(*)::int AS payments, count(*) FILTER (WHERE email <> '' OR token <> '' OR counted_for <> '')::int AS open
     FROM payments WHERE order_id = ANY($1::uuid[])`,
);
const FORGET_NOTICES = sql(
  'privacy.forget-notices',
  `UPDATE webhook_inbox AS w SET payload = '{}'
     FROM payments AS p
    WHERE p.order_id = ANY($1::uuid[]) AND p.provider_reference <> '' AND w.reference = p.provider_reference
      AND w.next_try_at IS NULL AND w.payload <> '{}'
   RETURNING w.event_id`,
);
const OPEN_NOTICES = sql(
  'privacy.open-notices',
  `SELECT count(*)::int AS open FROM webhook_inbox AS w JOIN payments AS p ON w.reference = p.provider_reference
    WHERE p.order_id = ANY($1::uuid[]) AND p.provider_reference <> '' AND w.next_try_at IS NOT NULL`,
);

const KEPT_BY_LAW = 'Money records are kept for as long as the law asks for; they name nobody.';

export class PersonalPayments extends PersonalData {
  constructor(private readonly database: Database) {
    super();
  }

  async export({ orderIds }: Subject): Promise<ExportedPage> {
    const rows = await this.database.query<object>(EXPORT, [orderIds]);
    return { records: rows.map((value) => ({ kind: 'payment', value })) };
  }

  async erase({ orderIds }: Subject): Promise<ErasedPage> {
    const forgotten = await this.database.query(FORGET_NOTICES, [orderIds]);
    const [counted] = await this.database.query<{ payments: number; open: number }>(COUNT, [orderIds]);
    const [notices] = await this.database.query<{ open: number }>(OPEN_NOTICES, [orderIds]);
    return {
      treatments: [
        { what: 'payments, refunds and ledger', action: 'KEPT', count: counted?.payments ?? 0, reason: KEPT_BY_LAW },
        { what: 'texts of provider notices', action: 'REMOVED', count: forgotten.length },
      ],
      pending: (counted?.open ?? 0) + (notices?.open ?? 0),
    };
  }
}
