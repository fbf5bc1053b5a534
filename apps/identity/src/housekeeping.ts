// Clears away what has ended, so that no table grows for ever. Guarantees: little at a time, and any number of replicas may do
// it at once. Accounts go only where nobody can reach them any more, neither by a password nor by a session.
import { sql, type Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { WorkerLoop } from '@souk/worker';
import type { UsersStore } from './accounts/users.store.js';
import type { ErasuresStore } from './privacy/erasures.store.js';
import type { AttemptsStore } from './attempts/attempts.store.js';

const EVERY_MS = 10 * 60_000;
const BATCH = 1_000;
const BATCHES = 5;
const FIRST = '00000000-0000-0000-0000-000000000000';

const EXPIRED = [
  sql(
    'housekeeping.sessions',
    'DELETE FROM sessions WHERE session_id IN (SELECT session_id FROM sessions WHERE expires_at <= now() LIMIT $1)',
  ),
  sql(
    'housekeeping.proofs',
    'DELETE FROM proofs WHERE token_hash IN (SELECT token_hash FROM proofs WHERE expires_at <= now() LIMIT $1)',
  ),
  sql(
    'housekeeping.login_challenges',
    `DELETE FROM login_challenges WHERE token_hash IN (
       SELECT token_hash FROM login_challenges WHERE expires_at <= now() LIMIT $1)`,
  ),
  sql(
    'housekeeping.provider_logins',
    `DELETE FROM provider_logins WHERE state_hash IN (
       SELECT state_hash FROM provider_logins WHERE expires_at <= now() LIMIT $1)`,
  ),
  sql(
    'housekeeping.second_factors',
    `DELETE FROM second_factors WHERE confirmed_at IS NULL AND user_id IN (
       SELECT user_id FROM second_factors WHERE confirmed_at IS NULL AND created_at < now() - interval '1 day' LIMIT $1)`,
  ),
];
const UNVERIFIED = sql(
  'housekeeping.unverified',
  'SELECT user_id FROM users WHERE email_verified_at IS NULL AND user_id > $1 ORDER BY user_id LIMIT $2',
);
// Nobody is logged in, and the address was proved by another account or is carried by one that was made later: a log-in finds
// those. Not on the first day, in which somebody may be about to prove it.
const UNREACHABLE = sql(
  'housekeeping.unreachable',
  `SELECT user_id, email FROM users u
    WHERE user_id = ANY ($1) AND email_verified_at IS NULL AND created_at < now() - interval '1 day'
      AND roles = ARRAY['customer']
      AND NOT EXISTS (SELECT FROM sessions s WHERE s.user_id = u.user_id)
      AND (email_key IS NULL OR EXISTS (
        SELECT FROM users later
         WHERE later.email_key = u.email_key AND later.email_verified_at IS NULL
           AND (later.created_at, later.user_id) > (u.created_at, u.user_id)))
      FOR UPDATE SKIP LOCKED`,
);

export class Housekeeping {
  private readonly loop: WorkerLoop;
  /** The last account that was looked at: a part of them has its turn each time. */
  private lookedAt = FIRST;

  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly attempts: AttemptsStore,
    private readonly erasures: ErasuresStore,
    logger: Logger,
  ) {
    const round = async () => {
      await this.execute();
      return 'done' as const;
    };
    this.loop = new WorkerLoop({ name: 'the housekeeping', round, pollMs: EVERY_MS, logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  async execute(): Promise<void> {
    for (const statement of EXPIRED) await this.database.query(statement, [BATCH]);
    await this.attempts.prune();
    for (let batch = 0; batch < BATCHES && !this.loop.stopping; batch++) {
      if ((await this.deleteUnreachable()) < BATCH) return;
    }
  }

  private async deleteUnreachable(): Promise<number> {
    const rows = await this.database.query<{ user_id: string }>(UNVERIFIED, [this.lookedAt, BATCH]);
    const ids = rows.map((row) => row.user_id);
    this.lookedAt = ids.length < BATCH ? FIRST : (ids.at(-1) ?? FIRST);
    await this.database.transaction(async (tx) => {
      const unreachable = await tx.query<{ user_id: string; email: string | null }>(UNREACHABLE, [ids]);
      for (const { user_id: userId, email } of unreachable) {
        await this.users.delete(tx, userId);
        await this.erasures.begin(tx, { subjectId: userId, email: email ?? '', emailOwned: false });
      }
    });
    return ids.length;
  }
}
