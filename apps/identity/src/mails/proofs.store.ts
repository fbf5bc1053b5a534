// What the links of mails prove: that whoever has one reads the mailbox it was sent to. Guarantees: each works once and for a
// short time, by the database's clock; it is used up in the transaction of what it is used for, or not at all. Only hashes
// are stored.
import { sql, type Queryable, type Statement, type Transaction } from '@souk/postgres';
import { emailKey } from '@souk/auth';
import { hashOfToken, newSecretToken } from '../secret-token.js';

export type ProofPurpose = 'VERIFY_EMAIL' | 'RESET_PASSWORD' | 'CHANGE_EMAIL';

export interface Proof {
  readonly email: string;
  readonly emailKey: string;
  /** Empty where the link proves an address and no more. */
  readonly userId: string;
}

interface Row {
  email: string;
  email_key: string;
  user_id: string | null;
}

const INSERT = sql(
  'proofs.insert',
  `INSERT INTO proofs (token_hash, purpose, email, email_key, user_id, expires_at)
   VALUES ($1, $2, $3, $4, $5, now() + make_interval(mins => $6))`,
);
const FIND = sql(
  'proofs.find',
  'SELECT email, email_key, user_id FROM proofs WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()',
);
const TAKE = sql(
  'proofs.take',
  `DELETE FROM proofs WHERE token_hash = $1 AND purpose = $2 AND expires_at > now()
   RETURNING email, email_key, user_id`,
);
const FORGET_ADDRESS = sql('proofs.forget_address', 'DELETE FROM proofs WHERE email_key = $1');
const FORGET_USER = sql('proofs.forget_user', 'DELETE FROM proofs WHERE user_id = $1');

/** Makes a link's token. */
export async function makeProof(
  tx: Transaction,
  proof: { purpose: ProofPurpose; email: string; userId?: string; minutes: number },
): Promise<string> {
  const { text, hash } = newSecretToken();
  const { purpose, email, userId, minutes } = proof;
  await tx.query(INSERT, [hash, purpose, email, emailKey(email), userId ?? null, minutes]);
  return text;
}

/** What the token proves, without using it up. */
export function findProof(within: Queryable, purpose: ProofPurpose, token: string): Promise<Proof | undefined> {
  return look(within, FIND, purpose, token);
}

/** Uses the token up. */
export function takeProof(tx: Transaction, purpose: ProofPurpose, token: string): Promise<Proof | undefined> {
  return look(tx, TAKE, purpose, token);
}

/** Lets no link work any more that was sent to the address. */
export async function forgetProofsOfAddress(tx: Transaction, email: string): Promise<void> {
  await tx.query(FORGET_ADDRESS, [emailKey(email)]);
}

/** Lets no link work any more that was sent for the account. */
export async function forgetProofsOfUser(tx: Transaction, userId: string): Promise<void> {
  await tx.query(FORGET_USER, [userId]);
}

async function look(
  within: Queryable,
  statement: Statement,
  purpose: ProofPurpose,
  token: string,
): Promise<Proof | undefined> {
  const hash = hashOfToken(token);
  const [row] = hash ? await within.query<Row>(statement, [hash, purpose]) : [];
  return row && { email: row.email, emailKey: row.email_key, userId: row.user_id ?? '' };
}
