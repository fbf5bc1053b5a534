// Erasures of persons: who is to be forgotten, and how far that is. Guarantees: one erasure per person, written in the transaction that
// ends the account; one worker at a time has it, and a worker that lost it (its lease ran out) writes nothing any more. What
// names the person is sealed, and gone with the end. Orders that were erased are remembered by their identifiers.
import { sql, uuidv7, type Database, type Transaction } from '@souk/postgres';
import type { KeyCipher } from '../key-cipher.js';
import { newSecretToken, type SecretToken } from '../secret-token.js';
import type { Reported } from './report.js';

/** Who is to be erased. */
export interface Person {
  readonly subjectId: string;
  readonly email: string;
  readonly emailOwned: boolean;
}

/** An erasure as people see it. */
export interface Erasure {
  readonly erasureId: string;
  readonly state: 'ERASING' | 'DONE' | 'PARKED';
  readonly pending: number;
  readonly requestedAt: Date;
  readonly completedAt?: Date;
  readonly certificate: string;
  readonly certificateKey?: object;
  readonly error: string;
}

/** An erasure that a worker has. */
export interface ErasureTask extends Person {
  readonly erasureId: string;
  readonly epoch: number;
  readonly requestedAt: Date;
  readonly passes: number;
  readonly failures: number;
  readonly faults: number;
  readonly report: readonly Reported[];
  readonly settled: boolean;
}

/** How a pass ended. */
export interface Progress {
  readonly pending: number;
  readonly report: readonly Reported[];
  readonly pauseSeconds: number;
}

export interface Certificate {
  readonly text: string;
  readonly key: object;
}

interface Row {
  erasure_id: string;
  subject_id: string;
  sealed_email: Buffer | null;
  email_owned: boolean;
  requested_at: Date;
  completed_at: Date | null;
  pending: number;
  passes: number;
  report: Reported[];
  certificate: string;
  certificate_key: object | null;
  epoch: number;
  failures: number;
  faults: number;
  error: string;
  parked_at: Date | null;
  is_due: boolean;
  settled: boolean;
}

const COLUMNS = `erasure_id, subject_id, sealed_email, email_owned, requested_at, completed_at, pending, passes, report, certificate,
  certificate_key, epoch, failures, faults, error, parked_at, due_at < 'infinity' AS is_due, settles_at <= now() AS settled`;

const INSERT = sql(
  'erasures.insert',
  `INSERT INTO erasures (erasure_id, subject_id, sealed_email, email_owned, token_hash, settles_at)
   VALUES ($1, $2, $3, $4, $5, now() + make_interval(secs => $6))`,
);
const FIND = sql('erasures.find', `SELECT ${COLUMNS} FROM erasures WHERE erasure_id = $1`);
const FIND_BY_TOKEN = sql(
  'erasures.find_by_token',
  `SELECT ${COLUMNS} FROM erasures WHERE erasure_id = $1 AND token_hash = $2`,
);
const FIND_BY_SUBJECT = sql('erasures.find_by_subject', `SELECT ${COLUMNS} FROM erasures WHERE subject_id = $1`);
const LIST = sql(
  'erasures.list',
  `SELECT ${COLUMNS} FROM erasures WHERE $1::uuid IS NULL OR erasure_id < $1 ORDER BY erasure_id DESC LIMIT $2`,
);
const CLAIM = sql(
  'erasures.claim',
  `UPDATE erasures SET epoch = epoch + 1, due_at = now() + make_interval(secs => $1)
    WHERE erasure_id = (SELECT erasure_id FROM erasures WHERE parked_at IS NULL AND due_at <= now()
                         ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
   RETURNING ${COLUMNS}`,
);
const RENEW = sql(
  'erasures.renew',
  `UPDATE erasures SET due_at = now() + make_interval(secs => $3)
    WHERE erasure_id = $1 AND epoch = $2 AND due_at < 'infinity' RETURNING erasure_id`,
);
// What was still there may have been told of again just now: the time to settle begins anew.
const PUT_OFF = sql(
  'erasures.put_off',
  `UPDATE erasures
      SET pending = $3, report = $4::jsonb, passes = passes + 1, failures = 0, faults = 0, error = '',
          due_at = now() + make_interval(secs => $5),
          settles_at = CASE WHEN $3 > 0 THEN greatest(settles_at, now() + make_interval(secs => $6)) ELSE settles_at END
    WHERE erasure_id = $1 AND epoch = $2 RETURNING erasure_id`,
);
const COMPLETE = sql(
  'erasures.complete',
  `UPDATE erasures
      SET pending = 0, report = $3::jsonb, certificate = $4, certificate_key = $5::jsonb, completed_at = $6, sealed_email = NULL,
          passes = passes + 1, failures = 0, faults = 0, error = '', due_at = 'infinity'
    WHERE erasure_id = $1 AND epoch = $2 RETURNING erasure_id`,
);
const FAIL = sql(
  'erasures.fail',
  `UPDATE erasures
      SET failures = failures + 1, faults = faults + CASE WHEN $4 THEN 1 ELSE 0 END, error = $3,
          parked_at = CASE WHEN $6 THEN now() END, due_at = now() + make_interval(secs => $5)
    WHERE erasure_id = $1 AND epoch = $2`,
);
const RESUME = sql(
  'erasures.resume',
  `UPDATE erasures SET parked_at = NULL, failures = 0, faults = 0, due_at = CASE WHEN due_at = 'infinity' THEN due_at ELSE now() END
    WHERE erasure_id = $1 RETURNING ${COLUMNS}`,
);
const RERUN = sql(
  'erasures.rerun',
  `UPDATE erasures SET due_at = now(), passes = 0, settles_at = now() + make_interval(secs => $1)
    WHERE completed_at IS NOT NULL AND due_at = 'infinity' RETURNING erasure_id`,
);
const ADD_ORDERS = sql(
  'erasures.add_orders',
  `INSERT INTO erasure_orders (erasure_id, order_id) SELECT $1, unnest($2::uuid[]) ON CONFLICT DO NOTHING`,
);
const ORDERS = sql(
  'erasures.orders',
  'SELECT order_id FROM erasure_orders WHERE erasure_id = $1 AND order_id > $2 ORDER BY order_id LIMIT $3',
);
const STUCK = sql(
  'erasures.stuck',
  `SELECT erasure_id, parked_at IS NOT NULL AS parked, error, pending FROM erasures
    WHERE parked_at IS NOT NULL OR (completed_at IS NULL AND requested_at < now() - interval '25 days')
    ORDER BY erasure_id LIMIT $1`,
);

export class ErasuresStore {
  constructor(
    private readonly database: Database,
    private readonly cipher: KeyCipher,
    private readonly settleSeconds: number,
  ) {}

  /** Notes that the person is to be erased. Wake the worker after the commit. */
  async begin(
    tx: Transaction,
    { subjectId, email, emailOwned }: Person,
  ): Promise<{ erasureId: string; token: SecretToken }> {
    const [erasureId, token] = [uuidv7(), newSecretToken()];
    const sealed = email ? this.cipher.seal(erasureId, Buffer.from(email)) : null;
    await tx.query(INSERT, [erasureId, subjectId, sealed, emailOwned, token.hash, this.settleSeconds]);
    return { erasureId, token };
  }

  async find(erasureId: string): Promise<Erasure | undefined> {
    const [row] = await this.database.query<Row>(FIND, [erasureId]);
    return row && toErasure(row);
  }

  async findByToken(erasureId: string, tokenHash: Buffer): Promise<Erasure | undefined> {
    const [row] = await this.database.query<Row>(FIND_BY_TOKEN, [erasureId, tokenHash]);
    return row && toErasure(row);
  }

  async findBySubject(subjectId: string): Promise<Erasure | undefined> {
    const [row] = await this.database.query<Row>(FIND_BY_SUBJECT, [subjectId]);
    return row && toErasure(row);
  }

  async list(before: string, limit: number): Promise<Erasure[]> {
    return (await this.database.query<Row>(LIST, [before || null, limit])).map(toErasure);
  }

  /** Takes one that is due. */
  async claim(leaseSeconds: number): Promise<ErasureTask | undefined> {
    const [row] = await this.database.query<Row>(CLAIM, [leaseSeconds]);
    return row && this.toTask(row);
  }

  /** @returns false where another worker has it by now */
  async renew({ erasureId, epoch }: ErasureTask, leaseSeconds: number): Promise<boolean> {
    return (await this.database.query(RENEW, [erasureId, epoch, leaseSeconds])).length > 0;
  }

  async putOff({ erasureId, epoch }: ErasureTask, { pending, report, pauseSeconds }: Progress): Promise<void> {
    const values = [erasureId, epoch, pending, JSON.stringify(report), pauseSeconds, this.settleSeconds];
    await this.database.query(PUT_OFF, values);
  }

  async complete(
    { erasureId, epoch }: ErasureTask,
    { report, certificate, at }: { report: readonly Reported[]; certificate: Certificate; at: Date },
  ): Promise<void> {
    const { text, key } = certificate;
    await this.database.query(COMPLETE, [erasureId, epoch, JSON.stringify(report), text, JSON.stringify(key), at]);
  }

  async fail(
    { erasureId, epoch }: ErasureTask,
    { error, fault, pauseSeconds, park }: { error: string; fault: boolean; pauseSeconds: number; park: boolean },
  ): Promise<void> {
    await this.database.query(FAIL, [erasureId, epoch, error, fault, pauseSeconds, park]);
  }

  async resume(erasureId: string): Promise<Erasure | undefined> {
    const [row] = await this.database.query<Row>(RESUME, [erasureId]);
    return row && toErasure(row);
  }

  /** @returns how many go on */
  async rerun(): Promise<number> {
    return (await this.database.query(RERUN, [this.settleSeconds])).length;
  }

  async addOrders(erasureId: string, orderIds: readonly string[]): Promise<void> {
    if (orderIds.length > 0) await this.database.query(ADD_ORDERS, [erasureId, orderIds]);
  }

  async orders(erasureId: string, after: string, limit: number): Promise<string[]> {
    const rows = await this.database.query<{ order_id: string }>(ORDERS, [erasureId, after, limit]);
    return rows.map((row) => row.order_id);
  }

  /** Those that wait for a person, or have not ended though the law's month is nearly over. */
  stuck(limit: number): Promise<{ erasure_id: string; parked: boolean; error: string; pending: number }[]> {
    return this.database.query(STUCK, [limit]);
  }

  private toTask(row: Row): ErasureTask {
    const opened = row.sealed_email && this.cipher.open(row.erasure_id, row.sealed_email);
    if (row.sealed_email && !opened) throw new Error('SOUK_KEY_ENCRYPTION_KEY does not open the erasure.');
    return {
      erasureId: row.erasure_id,
      subjectId: row.subject_id,
      email: opened?.toString() ?? '',
      emailOwned: row.email_owned,
      epoch: row.epoch,
      requestedAt: row.requested_at,
      passes: row.passes,
      failures: row.failures,
      faults: row.faults,
      report: row.report,
      settled: row.settled,
    };
  }
}

function toErasure(row: Row): Erasure {
  return {
    erasureId: row.erasure_id,
    state: row.parked_at ? 'PARKED' : row.completed_at && !row.is_due ? 'DONE' : 'ERASING',
    pending: row.pending,
    requestedAt: row.requested_at,
    ...(row.completed_at && { completedAt: row.completed_at }),
    certificate: row.certificate,
    ...(row.certificate_key && { certificateKey: row.certificate_key }),
    error: row.error,
  };
}
