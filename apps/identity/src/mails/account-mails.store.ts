// Mails that notifications is still to be told of. Guarantees: a mail is noted in the transaction of what it tells of; one
// worker at a time has it, and one that lost it (its lease ran out) does harm to nobody, since what goes out is decided once
// and notifications takes each identifier once. Nothing is kept of a mail that was handed over.
import { sql, uuidv7, type Database, type Transaction } from '@souk/postgres';

/** What a mail may be about; see the contract of notifications. */
export type MailKind =
  | 'VERIFY_EMAIL'
  | 'ACCOUNT_EXISTS'
  | 'RESET_PASSWORD'
  | 'PASSWORD_CHANGED'
  | 'CONFIRM_EMAIL'
  | 'EMAIL_CHANGED'
  | 'SESSION_ENDED'
  | 'SECOND_FACTOR_ADDED'
  | 'SECOND_FACTOR_REMOVED'
  | 'RECOVERY_CODE_USED'
  | 'ACCOUNT_DELETED';

/** A mail that is wanted. What goes out is decided when it goes. */
export interface WantedMail {
  readonly kind: MailKind;
  readonly recipient: string;
  /** Empty for who has not proved to read mail at that address. */
  readonly name?: string;
  readonly userId?: string;
}

/** A mail that a worker has. */
export interface ClaimedMail extends Required<WantedMail> {
  readonly mailId: string;
  readonly sealedLetter?: Buffer;
  /** How often it was tried, this time included. */
  readonly tries: number;
}

interface Row {
  mail_id: string;
  kind: MailKind;
  recipient: string;
  name: string;
  user_id: string | null;
  sealed_letter: Buffer | null;
  tries: number;
}

const INSERT = sql(
  'account_mails.insert',
  'INSERT INTO account_mails (mail_id, kind, recipient, name, user_id) VALUES ($1, $2, $3, $4, $5)',
);
const CLAIM = sql(
  'account_mails.claim',
  `WITH due AS (SELECT mail_id FROM account_mails WHERE due_at <= now()
                 ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
   UPDATE account_mails m SET tries = tries + 1, due_at = now() + make_interval(secs => $2)
     FROM due WHERE m.mail_id = due.mail_id
   RETURNING m.mail_id, m.kind, m.recipient, m.name, m.user_id, m.sealed_letter, m.tries`,
);
const KEEP = sql(
  'account_mails.keep',
  'UPDATE account_mails SET sealed_letter = $2 WHERE mail_id = $1 AND sealed_letter IS NULL RETURNING mail_id',
);
const PUT_OFF = sql(
  'account_mails.put_off',
  'UPDATE account_mails SET due_at = now() + make_interval(secs => $2) WHERE mail_id = $1',
);
const DELETE = sql('account_mails.delete', 'DELETE FROM account_mails WHERE mail_id = $1');

export class AccountMailsStore {
  constructor(private readonly database: Database) {}

  /** Notes the mail. Wake the worker after the commit. */
  async want(tx: Transaction, { kind, recipient, name = '', userId }: WantedMail): Promise<void> {
    await tx.query(INSERT, [uuidv7(), kind, recipient, name, userId ?? null]);
  }

  /** Takes up to `limit` mails that are due, for `leaseSeconds`. */
  async claim(limit: number, leaseSeconds: number): Promise<ClaimedMail[]> {
    const rows = await this.database.query<Row>(CLAIM, [limit, leaseSeconds]);
    return rows.map(toMail);
  }

  /** Keeps what goes out; false where another worker decided it before. */
  async keep(tx: Transaction, mailId: string, sealedLetter: Buffer): Promise<boolean> {
    return (await tx.query(KEEP, [mailId, sealedLetter])).length > 0;
  }

  async putOff(mailId: string, seconds: number): Promise<void> {
    await this.database.query(PUT_OFF, [mailId, seconds]);
  }

  /** Nothing more is to be done about the mail. */
  async delete(mailId: string): Promise<void> {
    await this.database.query(DELETE, [mailId]);
  }
}

function toMail(row: Row): ClaimedMail {
  return {
    mailId: row.mail_id,
    kind: row.kind,
    recipient: row.recipient,
    name: row.name,
    userId: row.user_id ?? '',
    tries: row.tries,
    ...(row.sealed_letter && { sealedLetter: row.sealed_letter }),
  };
}
