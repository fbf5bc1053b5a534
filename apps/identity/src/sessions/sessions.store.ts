// Sessions. Guarantees: a refresh token is exchanged for one next token, also when it is presented twice; twice within ten
// seconds, from a client that lost the answer, gives the same one again, and later ends the session. Only hashes of tokens
// are stored. A session that was not refreshed for thirty days is over. Nobody has more than a hundred.
import { randomUUID } from 'node:crypto';
import { sql, type Database, type Queryable, type Transaction } from '@souk/postgres';
import type { Device } from './device.js';
import type { Method } from './methods.js';
import { firstRefreshToken, hashOf, nextRefreshToken, textOf, type RefreshToken } from './refresh-token.js';

export const SESSION_DAYS = 30;
export const SESSIONS_AT_MOST = 100;
/** Longer than a client waits for an answer and tries again, and shorter than it takes to use what was stolen. */
const GRACE_SECONDS = 10;

export interface OpenedSession {
  readonly sessionId: string;
  readonly refreshToken: string;
}

/** A session as its owner sees it. */
export interface Session {
  readonly sessionId: string;
  readonly device: Device;
  readonly createdAt: Date;
  readonly lastUsedAt: Date;
  readonly expiresAt: Date;
}

export interface Rotation extends OpenedSession {
  readonly userId: string;
  /** How the person logged in. */
  readonly methods: readonly Method[];
}

interface Row {
  session_id: string;
  user_id: string;
  methods: Method[];
  address: string;
  user_agent: string;
  created_at: Date;
  last_used_at: Date;
  expires_at: Date;
}

const OPEN = sql(
  'sessions.open',
  `WITH superfluous AS (
     DELETE FROM sessions WHERE user_id = $3 AND (expires_at <= now() OR session_id IN (
       SELECT session_id FROM sessions WHERE user_id = $3 ORDER BY last_used_at DESC OFFSET $4)))
   INSERT INTO sessions (session_id, family_id, user_id, expires_at, token_hash, address, user_agent, methods)
   VALUES ($1, $2, $3, now() + make_interval(days => $5), $6, $7, $8, $9)`,
);
const ROTATE = sql(
  'sessions.rotate',
  `UPDATE sessions
      SET token_hash = $3, previous_hash = token_hash, rotated_at = now(), last_used_at = now(),
          expires_at = now() + make_interval(days => $4),
          address = coalesce(nullif($5, ''), address), user_agent = coalesce(nullif($6, ''), user_agent)
    WHERE family_id = $1 AND token_hash = $2 AND expires_at > now()
   RETURNING session_id, user_id, methods`,
);
const REPEAT = sql(
  'sessions.repeat',
  `SELECT session_id, user_id, methods FROM sessions
    WHERE family_id = $1 AND previous_hash = $2 AND rotated_at > now() - make_interval(secs => $3) AND expires_at > now()`,
);
const END_FAMILY = sql(
  'sessions.end_family',
  'DELETE FROM sessions WHERE family_id = $1 RETURNING user_id, expires_at > now() AS live',
);
const END = sql('sessions.end', 'DELETE FROM sessions WHERE user_id = $1 AND session_id = $2');
const END_ALL = sql(
  'sessions.end_all',
  'DELETE FROM sessions WHERE user_id = $1 AND session_id IS DISTINCT FROM $2 RETURNING expires_at > now() AS live',
);
const ADD_FACTOR = sql(
  'sessions.add_factor',
  `UPDATE sessions SET methods = methods || ARRAY['otp', 'mfa'] WHERE session_id = $1 AND NOT 'mfa' = ANY (methods)`,
);
const DROP_FACTOR = sql(
  'sessions.drop_factor',
  `UPDATE sessions SET methods = array_remove(array_remove(methods, 'otp'), 'mfa') WHERE user_id = $1`,
);
const LIST = sql(
  'sessions.list',
  `SELECT session_id, user_id, methods, address, user_agent, created_at, last_used_at, expires_at FROM sessions
    WHERE user_id = $1 AND expires_at > now() ORDER BY last_used_at DESC, session_id LIMIT $2`,
);

export class SessionsStore {
  constructor(
    private readonly database: Database,
    /** Makes each next token of the one before. */
    private readonly key: Buffer,
  ) {}

  /** Opens a session, inside a transaction where one is given. */
  async open(
    userId: string,
    device: Device,
    methods: readonly Method[],
    within: Queryable = this.database,
  ): Promise<OpenedSession> {
    const sessionId = randomUUID();
    const token = firstRefreshToken(randomUUID());
    const limits = [SESSIONS_AT_MOST - 1, SESSION_DAYS];
    const about = [device.address, device.userAgent, methods];
    await within.query(OPEN, [sessionId, token.familyId, userId, ...limits, hashOf(token), ...about]);
    return { sessionId, refreshToken: textOf(token) };
  }

  /** Exchanges a token; undefined where it is not the newest one, nor the one before of seconds ago. */
  async rotate(token: RefreshToken, { address, userAgent }: Device): Promise<Rotation | undefined> {
    const next = nextRefreshToken(token, this.key);
    const [familyId, hash] = [token.familyId, hashOf(token)];
    const values = [familyId, hash, hashOf(next), SESSION_DAYS, address, userAgent];
    const [rotated] = await this.database.query<Row>(ROTATE, values);
    const [row] = rotated ? [rotated] : await this.database.query<Row>(REPEAT, [familyId, hash, GRACE_SECONDS]);
    if (!row) return undefined;
    const { session_id: sessionId, methods } = row;
    return { sessionId, userId: row.user_id, methods, refreshToken: textOf(next) };
  }

  /** Ends the session that the token belonged to; answers whose it was, where it had not ended by itself. */
  async endFamily({ familyId }: RefreshToken, within: Queryable = this.database): Promise<string | undefined> {
    const [ended] = await within.query<{ user_id: string; live: boolean }>(END_FAMILY, [familyId]);
    return ended?.live ? ended.user_id : undefined;
  }

  /** Ends one of the person's sessions; nothing happens where it has ended. */
  async end(userId: string, sessionId: string): Promise<void> {
    await this.database.query(END, [userId, sessionId]);
  }

  /** Ends all sessions of the person, or all but one; answers how many. */
  async endAll(userId: string, besides?: string, within: Queryable = this.database): Promise<number> {
    const ended = await within.query<{ live: boolean }>(END_ALL, [userId, besides || null]);
    return ended.filter(({ live }) => live).length;
  }

  /** Whoever has this session has just shown a code as well. */
  async addFactor(tx: Transaction, sessionId: string): Promise<void> {
    await tx.query(ADD_FACTOR, [sessionId]);
  }

  /** The person has no second factor any more, so no session was opened by one. */
  async dropFactor(tx: Transaction, userId: string): Promise<void> {
    await tx.query(DROP_FACTOR, [userId]);
  }

  /** The open sessions, the one used last first. */
  async list(userId: string): Promise<Session[]> {
    return (await this.database.query<Row>(LIST, [userId, SESSIONS_AT_MOST])).map(toSession);
  }
}

function toSession(row: Row): Session {
  return {
    sessionId: row.session_id,
    device: { address: row.address, userAgent: row.user_agent },
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
    expiresAt: row.expires_at,
  };
}
