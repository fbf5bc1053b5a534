// Second factors. Guarantees: a code of the app is good once, and none from before it: of any number at once one gets in; a
// recovery code is deleted by its use; secrets are sealed, and of recovery codes there are keyed digests alone. Codes are judged
// by the database's clock. A secret that nobody confirmed within an hour is worth nothing.
import { sql, type Database, type Queryable, type Transaction } from '@souk/postgres';
import type { KeyCipher } from '../key-cipher.js';
import { digestOf, readRecoveryCode } from './recovery-codes.js';
import { stepOf } from './totp.js';

const CONFIRM_WITHIN_MINUTES = 60;

/** What is known of a second factor that is on. */
export interface SecondFactor {
  readonly confirmedAt: Date;
  readonly recoveryCodesLeft: number;
}

export type KindOfCode = 'app' | 'recovery';

interface Row {
  sealed_secret: Buffer;
  last_step: string;
  now: number;
}

const FIND = sql(
  'second_factors.find',
  `SELECT confirmed_at, (SELECT count(*)::int FROM recovery_codes r WHERE r.user_id = f.user_id) AS codes
     FROM second_factors f WHERE user_id = $1 AND confirmed_at IS NOT NULL`,
);
const BEGIN = sql(
  'second_factors.begin',
  `INSERT INTO second_factors AS f (user_id, sealed_secret) VALUES ($1, $2)
   ON CONFLICT (user_id) DO UPDATE SET sealed_secret = $2, created_at = now() WHERE f.confirmed_at IS NULL
   RETURNING user_id`,
);
const LOCK_BEGUN = sql(
  'second_factors.lock_begun',
  `SELECT sealed_secret, last_step, extract(epoch FROM now())::float8 AS now FROM second_factors
    WHERE user_id = $1 AND confirmed_at IS NULL AND created_at > now() - make_interval(mins => $2) FOR UPDATE`,
);
const LOCK_CONFIRMED = sql(
  'second_factors.lock_confirmed',
  `SELECT sealed_secret, last_step, extract(epoch FROM now())::float8 AS now FROM second_factors
    WHERE user_id = $1 AND confirmed_at IS NOT NULL FOR UPDATE`,
);
const USE_STEP = sql(
  'second_factors.use_step',
  `UPDATE second_factors SET last_step = $2, confirmed_at = coalesce(confirmed_at, now()) WHERE user_id = $1`,
);
const USE_RECOVERY_CODE = sql(
  'second_factors.use_recovery_code',
  'DELETE FROM recovery_codes WHERE user_id = $1 AND digest = $2 RETURNING user_id',
);
const FORGET_CODES = sql('second_factors.forget_codes', 'DELETE FROM recovery_codes WHERE user_id = $1');
const ADD_CODES = sql(
  'second_factors.add_codes',
  'INSERT INTO recovery_codes (user_id, digest) SELECT $1, unnest($2::bytea[])',
);
const DELETE = sql(
  'second_factors.delete',
  'DELETE FROM second_factors WHERE user_id = $1 RETURNING confirmed_at IS NOT NULL AS confirmed',
);

export class SecondFactorsStore {
  constructor(
    private readonly database: Database,
    private readonly cipher: KeyCipher,
    private readonly recoveryKey: Buffer,
  ) {}

  /** The second factor that logging in asks for; undefined where it asks for none. */
  async find(userId: string, within: Queryable = this.database): Promise<SecondFactor | undefined> {
    const [row] = await within.query<{ confirmed_at: Date; codes: number }>(FIND, [userId]);
    return row && { confirmedAt: row.confirmed_at, recoveryCodesLeft: row.codes };
  }

  /** Keeps a secret that is still to be confirmed; false where there is a second factor already. */
  async begin(userId: string, secret: Buffer): Promise<boolean> {
    const sealed = this.cipher.seal(nameOf(userId), secret);
    return (await this.database.query(BEGIN, [userId, sealed])).length > 0;
  }

  /** Turns the second factor on, where the code is one of the secret that waits for it. */
  async confirm(tx: Transaction, userId: string, code: string): Promise<'on' | 'wrong code' | 'not begun'> {
    const [row] = await tx.query<Row>(LOCK_BEGUN, [userId, CONFIRM_WITHIN_MINUTES]);
    if (!row) return 'not begun';
    return (await this.useStep(tx, userId, row, code)) ? 'on' : 'wrong code';
  }

  /** Uses a code up; undefined where it is not good, or not any more. */
  async use(tx: Transaction, userId: string, code: string): Promise<KindOfCode | undefined> {
    const recovery = readRecoveryCode(code);
    if (recovery) {
      const used = await tx.query(USE_RECOVERY_CODE, [userId, digestOf(recovery, userId, this.recoveryKey)]);
      return used.length > 0 ? 'recovery' : undefined;
    }
    const [row] = await tx.query<Row>(LOCK_CONFIRMED, [userId]);
    return row && (await this.useStep(tx, userId, row, code)) ? 'app' : undefined;
  }

  /** Lets these recovery codes work, and no others. */
  async replaceRecoveryCodes(tx: Transaction, userId: string, codes: readonly string[]): Promise<void> {
    const digests = codes.map((code) => digestOf(readRecoveryCode(code) ?? '', userId, this.recoveryKey));
    await tx.query(FORGET_CODES, [userId]);
    await tx.query(ADD_CODES, [userId, digests]);
  }

  /** Takes it off, with its recovery codes and the log-ins that wait for a code; false where it was not on. */
  async delete(tx: Transaction, userId: string): Promise<boolean> {
    const [row] = await tx.query<{ confirmed: boolean }>(DELETE, [userId]);
    return row?.confirmed ?? false;
  }

  /** The row is locked: of two with the same code the second one sees that it was used. */
  private async useStep(tx: Transaction, userId: string, row: Row, code: string): Promise<boolean> {
    const step = stepOf(this.open(userId, row.sealed_secret), code, row.now);
    if (step === undefined || step <= Number(row.last_step)) return false;
    await tx.query(USE_STEP, [userId, step]);
    return true;
  }

  private open(userId: string, sealed: Buffer): Buffer {
    const secret = this.cipher.open(nameOf(userId), sealed);
    if (!secret)
      throw new Error('SOUK_KEY_ENCRYPTION_KEY does not open a second factor: it was stored under another one.');
    return secret;
  }
}

function nameOf(userId: string): string {
  return `second factor of ${userId}`;
}
