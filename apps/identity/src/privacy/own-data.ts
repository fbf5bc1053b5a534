// The personal data that identity itself keeps. Guarantees: the account is gone before this is called; what outlived it (links and
// mails to the address, events) goes here, and a mail that is still to be handed over is waited for.
import { emailKey } from '@souk/auth';
import type { EventBus } from '@souk/events';
import { holdOutbox, redactOutbox, redactStreams, type Redact } from '@souk/outbox';
import { sql, type Database } from '@souk/postgres';
import type { ErasedPage, ExportedPage } from '@souk/privacy';
import type { Person } from './erasures.store.js';

const EXPORT = [
  ['account', `SELECT user_id, email, email_verified_at, name, roles, created_at FROM users WHERE user_id = $1`],
  [
    'session',
    `SELECT created_at, last_used_at, expires_at, address, user_agent, methods FROM sessions WHERE user_id = $1
      ORDER BY created_at LIMIT 1000`,
  ],
  [
    'address',
    `SELECT name, line1, line2, city, region, postal_code, country, created_at FROM addresses WHERE user_id = $1
      ORDER BY created_at LIMIT 1000`,
  ],
  [
    'provider identity',
    `SELECT issuer, subject, created_at, last_login_at FROM provider_identities WHERE user_id = $1`,
  ],
  ['second factor', `SELECT created_at, confirmed_at FROM second_factors WHERE user_id = $1`],
].map(([kind = '', text = '']) => ({ kind, statement: sql(`privacy.export_${kind.replace(' ', '_')}`, text) }));

const DELETE_PROOFS = sql(
  'privacy.delete_proofs',
  `DELETE FROM proofs WHERE email_key = $1 AND user_id IS NULL AND NOT EXISTS (SELECT FROM users WHERE email_key = $1)
   RETURNING token_hash`,
);
const DELETE_MAILS = sql('privacy.delete_mails', 'DELETE FROM account_mails WHERE user_id = $1 RETURNING mail_id');
const COUNT_MAILS = sql(
  'privacy.count_mails',
  'SELECT count(*)::int AS open FROM account_mails WHERE lower(recipient) = ANY($1::text[])',
);

const KEPT_AS_EVIDENCE = 'It shows misuse, and holds identifiers and network addresses, no names.';

/** An event about an account, as JSON, without the person. */
const redactIdentityEvent: Redact = (_type, data) => {
  const { email: _email, name: _name, ...event } = data as { email?: unknown; name?: unknown };
  return event;
};

export class OwnData {
  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
  ) {}

  async export(userId: string): Promise<ExportedPage> {
    const records: { kind: string; value: object }[] = [];
    for (const { kind, statement } of EXPORT) {
      const rows = await this.database.query<object>(statement, [userId]);
      records.push(...rows.map((value) => ({ kind, value })));
    }
    return { records };
  }

  async erase({ subjectId, email }: Person): Promise<ErasedPage> {
    const redact = redactIdentityEvent;
    await this.database.transaction(async (tx) => {
      await holdOutbox(tx);
      await redactOutbox(tx, [subjectId], redact);
    });
    const events = { source: 'identity', aggregateIds: [subjectId], since: madeAt(subjectId), redact };
    const redacted = await redactStreams({ database: this.database, bus: this.bus }, events);
    const key = emailKey(email);
    const proofs = email ? await this.database.query(DELETE_PROOFS, [key]) : [];
    const mails = await this.database.query(DELETE_MAILS, [subjectId]);
    const [counted] = await this.database.query<{ open: number }>(COUNT_MAILS, [[email.toLowerCase(), key]]);
    return {
      treatments: [
        { what: 'account, sessions, addresses, second factor, provider identities', action: 'REMOVED', count: 0 },
        { what: 'links and mails to be handed over', action: 'REMOVED', count: proofs.length + mails.length },
        { what: 'events and dead letters about the account', action: 'REMOVED', count: redacted },
        { what: 'record of who did what, in each service', action: 'KEPT', count: 0, reason: KEPT_AS_EVIDENCE },
      ],
      pending: counted?.open ?? 0,
    };
  }
}

/** When an account was made tells its identifier, a version 7 UUID. */
function madeAt(uuid: string): Date {
  return new Date(Number.parseInt(uuid.replace('-', '').slice(0, 12), 16) - 60_000);
}
