// Log-ins that wait for a code. Guarantees: a challenge is good for five minutes, for one session, from the browser or program
// that began, and only as long as the password and the second factor stay as they were. Only hashes are stored, and a few per
// person at most.
import { sql, type Database, type Queryable, type Transaction } from '@souk/postgres';
import { hashOfToken, newSecretToken } from '../secret-token.js';
import type { Device } from '../sessions/device.js';

export const CHALLENGE_SECONDS = 5 * 60;
const AT_MOST = 10;

/** Half a log-in. */
export interface Challenge {
  readonly token: string;
  readonly expiresIn: number;
}

const MAKE = sql(
  'login_challenges.make',
  `WITH superfluous AS (
     DELETE FROM login_challenges WHERE user_id = $2 AND (expires_at <= now() OR token_hash IN (
       SELECT token_hash FROM login_challenges WHERE user_id = $2 ORDER BY expires_at DESC OFFSET $4)))
   INSERT INTO login_challenges (token_hash, user_id, user_agent, expires_at)
   VALUES ($1, $2, $3, now() + make_interval(secs => $5))`,
);
const FIND = sql(
  'login_challenges.find',
  'SELECT user_id FROM login_challenges WHERE token_hash = $1 AND user_agent = $2 AND expires_at > now()',
);
const TAKE = sql(
  'login_challenges.take',
  `DELETE FROM login_challenges WHERE token_hash = $1 AND user_agent = $2 AND expires_at > now() RETURNING user_id`,
);
const FORGET_USER = sql('login_challenges.forget_user', 'DELETE FROM login_challenges WHERE user_id = $1');

export class ChallengesStore {
  constructor(private readonly database: Database) {}

  async make(tx: Transaction, userId: string, { userAgent }: Device): Promise<Challenge> {
    const { text, hash } = newSecretToken();
    await tx.query(MAKE, [hash, userId, userAgent, AT_MOST - 1, CHALLENGE_SECONDS]);
    return { token: text, expiresIn: CHALLENGE_SECONDS };
  }

  /** Whose log-in it is, without ending it. */
  find(token: string, device: Device): Promise<string | undefined> {
    return this.look(FIND, this.database, token, device);
  }

  /** Ends it, for the session that the transaction opens. */
  take(tx: Transaction, token: string, device: Device): Promise<string | undefined> {
    return this.look(TAKE, tx, token, device);
  }

  private async look(statement: typeof FIND, within: Queryable, token: string, { userAgent }: Device) {
    const hash = hashOfToken(token);
    const [row] = hash ? await within.query<{ user_id: string }>(statement, [hash, userAgent]) : [];
    return row?.user_id;
  }
}

/** The password that they began with is another one now. */
export async function forgetChallengesOfUser(tx: Transaction, userId: string): Promise<void> {
  await tx.query(FORGET_USER, [userId]);
}
