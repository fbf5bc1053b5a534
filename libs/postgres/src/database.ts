// One bounded pool of connections to one database. Guarantees: a transaction is committed as a whole or not at all; it is
// repeated when Postgres asks for it (serialization failure, deadlock), so its work must have no effect outside of the
// database; a broken connection never crashes the process and surfaces as DATABASE_UNAVAILABLE. When that happens during
// COMMIT the outcome is unknown, and nothing here finds out: the caller repeats what is idempotent.
import { setTimeout as sleep } from 'node:timers/promises';
import { inSpan, metrics, type SpanStart } from '@souk/telemetry';
import pg from 'pg';
import { isConflict, isConnectionBroken, translate } from './database-errors.js';
import { forgetPool, measurePool } from './pool-metrics.js';
import { spanOf, sql, type Statement } from './statement.js';
import { types } from './types.js';

/** Whatever answers queries: a Database, each query on its own, or a Transaction. */
export interface Queryable {
  query<R extends object>(statement: Statement, values?: unknown[]): Promise<R[]>;
}

/** An open transaction; good for the time of the function that it was given to. */
export type Transaction = Queryable & { readonly inTransaction: true };

/** How to connect. */
export interface DatabaseOptions {
  url: string;
  /** Shown by Postgres as application_name. */
  name: string;
  /** Most connections (8). */
  poolSize?: number;
  /** After how long Postgres gives up a statement (10 s). */
  statementTimeoutMs?: number;
}

const TRIES = 4;
const PING = sql('ping', 'SELECT 1 AS answer');

const waited = metrics.histogram('db_pool_wait_seconds');

/** Waiting for a connection, the statements and the commit. */
const TRANSACTION: SpanStart = {
  name: 'transaction',
  kind: 'client',
  attributes: { 'db.system.name': 'postgresql', 'db.query.summary': 'transaction' },
};

/** Thrown by the work of a transaction: what it wrote is committed all the same, and the caller gets `error`. */
export class CommitThenThrow extends Error {
  constructor(readonly error: unknown) {
    super('The transaction commits and fails.');
  }
}

/** A pool of connections. */
export class Database implements Queryable {
  private constructor(private readonly pool: pg.Pool) {}

  /** Makes the pool; connections are opened when they are needed. */
  static connect({ url, name, poolSize = 8, statementTimeoutMs = 10_000 }: DatabaseOptions): Database {
    const config = {
      connectionString: url,
      application_name: name,
      max: poolSize,
      connectionTimeoutMillis: 5_000,
      idleTimeoutMillis: 60_000,
      statement_timeout: statementTimeoutMs,
      idle_in_transaction_session_timeout: 15_000,
      // Postgres gives up first; this one is for a server or a network that does not answer at all.
      query_timeout: statementTimeoutMs + 5_000,
      keepAlive: true,
      // Every statement of a service is meant to be served by an index. A statement that is prepared while its tables are
      // almost empty would get a plan that reads them whole, and keep it long after they have grown.
      // (jit=off: older servers would compile such a plan where a table has no index to use.)
      options: '-c enable_seqscan=off -c jit=off',
      // Statements are sent without waiting for the one before, so BEGIN costs no round trip of its own.
      pipeline: true,
      types,
    };
    const pool = new pg.Pool(config);
    // The next query tells of the trouble; without listeners an idle or a busy connection that breaks would end the process.
    pool.on('error', ignore);
    pool.on('connect', (client) => client.on('error', ignore));
    measurePool(pool);
    return new Database(pool);
  }

  /** Runs one statement by itself. */
  async query<R extends object>(statement: Statement, values: unknown[] = []): Promise<R[]> {
    return inSpan(spanOf(statement), () =>
      this.repeating(async (client) => (await client.query<R>({ ...statement, values })).rows),
    );
  }

  /** Runs `work` in a transaction: committed when it returns, rolled back when it throws (but see CommitThenThrow). May run it more than once. */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    return inSpan(TRANSACTION, () => this.repeating((client) => runTransaction(client, work)));
  }

  /** True where the database answers; undefined where all connections are busy, which says nothing of the database. */
  async isReachable(): Promise<true | undefined> {
    if (this.pool.waitingCount > 0) return undefined;
    await this.query(PING);
    return true;
  }

  /** Waits for what is under way and closes all connections. */
  async close(): Promise<void> {
    forgetPool(this.pool);
    if (!this.pool.ending) {
      await this.pool.end();
    }
  }

  private async repeating<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.withClient(work);
      } catch (error) {
        if (attempt === TRIES || !isConflict(error)) {
          throw translate(error);
        }
        await sleep(Math.random() * 10 * 2 ** attempt);
      }
    }
  }

  private async connect(): Promise<pg.PoolClient> {
    const askedAt = performance.now();
    const client = await this.pool.connect();
    waited.observe((performance.now() - askedAt) / 1_000);
    return client;
  }

  private async withClient<T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
    const client = await this.connect();
    let broken = false;
    try {
      return await work(client);
    } catch (error) {
      broken = isConnectionBroken(error);
      throw error;
    } finally {
      // A connection that is still inside of a transaction (the rollback failed) must not reach the next caller.
      client.release(broken || client.getTransactionStatus() !== 'I');
    }
  }
}

async function runTransaction<T>(client: pg.PoolClient, work: (tx: Transaction) => Promise<T>): Promise<T> {
  const outcome = await committed(client, work);
  if (outcome instanceof CommitThenThrow) {
    throw outcome.error;
  }
  return outcome;
}

async function committed<T>(
  client: pg.PoolClient,
  work: (tx: Transaction) => Promise<T>,
): Promise<T | CommitThenThrow> {
  const begun = client.query('BEGIN');
  begun.catch(ignore);
  const tx = new OpenTransaction(client);
  try {
    const outcome = await work(tx).catch(asOutcome);
    await begun;
    tx.end();
    await commit(client);
    return outcome;
  } catch (error) {
    tx.end();
    await rollBack(client, error);
    throw error;
  }
}

function asOutcome(error: unknown): CommitThenThrow {
  if (error instanceof CommitThenThrow) {
    return error;
  }
  throw error;
}

async function commit(client: pg.PoolClient): Promise<void> {
  const { command } = await client.query('COMMIT');
  // Postgres answers ROLLBACK, and no error, when a statement failed and the work went on all the same.
  if (command !== 'COMMIT') {
    throw new Error('The transaction was rolled back, because a statement in it had failed.');
  }
}

async function rollBack(client: pg.PoolClient, cause: unknown): Promise<void> {
  if (isConnectionBroken(cause)) {
    return;
  }
  // The first error is the one to tell; a connection that cannot roll back is thrown away.
  await client.query('ROLLBACK').catch(ignore);
}

class OpenTransaction implements Queryable {
  readonly inTransaction = true as const;
  private ended = false;

  constructor(private readonly client: pg.PoolClient) {}

  async query<R extends object>(statement: Statement, values: unknown[] = []): Promise<R[]> {
    if (this.ended) {
      throw new Error(`${statement.name} was called after its transaction had ended.`);
    }
    return inSpan(spanOf(statement), async () => (await this.client.query<R>({ ...statement, values })).rows);
  }

  end(): void {
    this.ended = true;
  }
}

function ignore(): void {
  // Reported by the query that meets it.
}
