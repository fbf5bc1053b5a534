// Sessions. Guarantees: a refresh token is exchanged once, also when it is presented twice at the same time; a token that
// was exchanged before ends its session. Only hashes of tokens are stored. A session that was not refreshed for thirty
// days is over and goes with its owner's next log-in.
import { randomUUID } from 'node:crypto';
import { sql, type Database, type Queryable } from '@souk/postgres';
import { newRefreshToken, type RefreshToken } from './refresh-token.js';

export const SESSION_DAYS = 30;

/** What became of an exchange: the next token, or why there is none. */
export type Rotation =
  | { readonly outcome: 'rotated'; readonly userId: string; readonly refreshToken: string }
  | { readonly outcome: 'reused'; readonly userId: string }
  | { readonly outcome: 'unknown' };

const OPEN = sql(
  'sessions.open',
  `WITH expired AS (DELETE FROM sessions WHERE user_id = $2 AND expires_at <= now())
   INSERT INTO sessions (session_id, user_id, token_hash, expires_at)
   VALUES ($1, $2, $3, now() + make_interval(days => $4))`,
);
const ROTATE = sql(
  'sessions.rotate',
  `UPDATE sessions SET token_hash = $3, expires_at = now() + make_interval(days => $4)
    WHERE session_id = $1 AND token_hash = $2 AND expires_at > now()
   RETURNING user_id`,
);
const END = sql(
  'sessions.end',
  'DELETE FROM sessions WHERE session_id = $1 RETURNING user_id, expires_at > now() AS live',
);

export class SessionsStore {
  constructor(private readonly database: Database) {}

  /** Opens a session, inside a transaction where one is given, and answers its first refresh token. */
  async open(userId: string, within: Queryable = this.database): Promise<string> {
    const { sessionId, secretHash, text } = newRefreshToken(randomUUID());
    await within.query(OPEN, [sessionId, userId, secretHash, SESSION_DAYS]);
    return text;
  }

  async rotate({ sessionId, secretHash }: RefreshToken): Promise<Rotation> {
    const next = newRefreshToken(sessionId);
    const values = [sessionId, secretHash, next.secretHash, SESSION_DAYS];
    const [rotated] = await this.database.query<{ user_id: string }>(ROTATE, values);
    if (rotated) return { outcome: 'rotated', userId: rotated.user_id, refreshToken: next.text };
    const [ended] = await this.database.query<{ user_id: string; live: boolean }>(END, [sessionId]);
    return ended?.live ? { outcome: 'reused', userId: ended.user_id } : { outcome: 'unknown' };
  }

  /** Ends the session; nothing happens where it has ended. */
  async end({ sessionId }: RefreshToken): Promise<void> {
    await this.database.query(END, [sessionId]);
  }
}
