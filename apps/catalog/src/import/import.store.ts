// Imports and the bytes of their files. Guarantees: a file that was taken on is stored whole; at a time one process works
// on an import, and one that lost its lease can write no more progress; progress is written in the transaction of the
// products that it tells of. The bytes are deleted when the import ends.
import { sql, uuidv7, type Database, type Transaction } from '@souk/postgres';
import { type Import_State, type Import } from '@souk/proto/catalog/v1';
import type { Rejection } from './rejections.js';

/** How far an import is. */
export interface Progress {
  readBytes: number;
  rows: number;
  imported: number;
  created: number;
  updated: number;
  variants: number;
  rejectedCount: number;
  /** How many rejections are shown; only the first 1,000 are. */
  shownCount: number;
  /** Entries of the file that begin on this line or before it are done. */
  appliedLine: number;
}

/** The right to work on an import until the lease ends. */
export interface Claim {
  importId: string;
  owner: string;
  sizeBytes: number;
  /** How often it was begun without any progress. */
  attempts: number;
  progress: Progress;
}

/** Another process works on the import now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

interface ImportRow {
  id: string;
  state: string;
  size_bytes: bigint;
  read_bytes: bigint;
  rows: number;
  imported: number;
  created: number;
  updated: number;
  variants: number;
  rejected_count: number;
  rejected: Rejection[];
  applied_line: number;
  attempts: number;
  created_at: Date;
  ended_at: Date | null;
}

const LEASE = `now() + interval '30 seconds'`;

const BEGIN = sql('import.begin', `INSERT INTO imports (id, state) VALUES ($1, 'RECEIVING')`);
const ADD_CHUNK = sql('import.add-chunk', `INSERT INTO import_chunks (import_id, position, bytes) VALUES ($1, $2, $3)`);
const SEAL = sql('import.seal', `UPDATE imports SET state = 'PENDING', size_bytes = $2 WHERE id = $1 RETURNING *`);
const REFUSE = sql(
  'import.refuse',
  `WITH gone AS (DELETE FROM import_chunks WHERE import_id = $1)
   UPDATE imports SET state = 'FAILED', size_bytes = $2, rejected_count = 1, rejected = $3, ended_at = now()
    WHERE id = $1 RETURNING *`,
);
const DISCARD = sql('import.discard', `DELETE FROM imports WHERE id = $1 AND state = 'RECEIVING'`);
const DISCARD_OLD = sql(
  'import.discard-old',
  `DELETE FROM imports WHERE state = 'RECEIVING' AND created_at < now() - interval '6 hours'`,
);
const GET = sql('import.get', `SELECT * FROM imports WHERE id = $1 AND state <> 'RECEIVING'`);
const CLAIM = sql(
  'import.claim',
  `UPDATE imports SET state = 'RUNNING', lease_owner = $1, lease_until = ${LEASE}, attempts = attempts + 1
    WHERE id = (SELECT id FROM imports
                 WHERE state = 'PENDING' OR (state = 'RUNNING' AND lease_until < now())
                 ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
   RETURNING *, jsonb_array_length(rejected) AS shown_count`,
);
const CHUNK = sql('import.chunk', `SELECT bytes FROM import_chunks WHERE import_id = $1 AND position = $2`);
const RENEW = sql(
  'import.renew',
  `UPDATE imports SET lease_until = ${LEASE} WHERE id = $1 AND lease_owner = $2 AND state = 'RUNNING' RETURNING id`,
);
const RELEASE = sql(
  'import.release',
  `UPDATE imports SET lease_until = now() + make_interval(secs => $3), attempts = $4
    WHERE id = $1 AND lease_owner = $2 AND state = 'RUNNING'`,
);
const RECORD = sql(
  'import.record',
  `UPDATE imports
      SET read_bytes = $3, rows = $4, imported = $5, created = $6, updated = $7, variants = $8, rejected_count = $9,
          rejected = rejected || $10::jsonb, applied_line = $11, lease_until = ${LEASE}, attempts = 1
    WHERE id = $1 AND lease_owner = $2 AND state = 'RUNNING' RETURNING id`,
);
const END = sql(
  'import.end',
  `WITH ended AS (UPDATE imports SET state = $3, ended_at = now()
                   WHERE id = $1 AND lease_owner = $2 AND state = 'RUNNING' RETURNING id)
   DELETE FROM import_chunks WHERE import_id IN (SELECT id FROM ended)`,
);
const ANALYZE = sql('import.analyze', 'ANALYZE products, variants, product_categories');

export class ImportStore {
  constructor(private readonly database: Database) {}

  /** Opens an import that its file is still arriving for; nobody sees it before it is sealed. */
  async begin(): Promise<string> {
    const id = uuidv7();
    await this.database.query(BEGIN, [id]);
    return id;
  }

  async addChunk(importId: string, position: number, bytes: Buffer): Promise<void> {
    await this.database.query(ADD_CHUNK, [importId, position, bytes]);
  }

  /** The file is whole: hands it to the workers. */
  async seal(importId: string, sizeBytes: number): Promise<Import> {
    const [row] = await this.database.query<ImportRow>(SEAL, [importId, sizeBytes]);
    return toImport(row as ImportRow);
  }

  /** The file is whole and of no use: the import has failed. */
  async refuse(importId: string, sizeBytes: number, reason: string): Promise<Import> {
    const rejected: Rejection[] = [{ row: 0, reason }];
    const [row] = await this.database.query<ImportRow>(REFUSE, [importId, sizeBytes, JSON.stringify(rejected)]);
    return toImport(row as ImportRow);
  }

  async discard(importId: string): Promise<void> {
    await this.database.query(DISCARD, [importId]);
  }

  /** Deletes what was left behind by uploads that never ended. */
  async discardAbandoned(): Promise<void> {
    await this.database.query(DISCARD_OLD);
  }

  async get(importId: string): Promise<Import | undefined> {
    const [row] = await this.database.query<ImportRow>(GET, [importId]);
    return row && toImport(row);
  }

  /** Takes the oldest import that nobody works on. */
  async claim(owner: string): Promise<Claim | undefined> {
    const [row] = await this.database.query<ImportRow & { shown_count: number }>(CLAIM, [owner]);
    return row && toClaim(row, owner);
  }

  /** The bytes of the file, one stored chunk at a time. */
  async *read(importId: string): AsyncGenerator<Uint8Array> {
    for (let position = 0; ; position++) {
      const [row] = await this.database.query<{ bytes: Buffer }>(CHUNK, [importId, position]);
      if (!row) return;
      yield row.bytes;
    }
  }

  /** @throws LeaseLost */
  async renew({ importId, owner }: Claim): Promise<void> {
    mustOwn(await this.database.query(RENEW, [importId, owner]));
  }

  /** Gives the import back; another may take it after the pause. */
  async release({ importId, owner, attempts }: Claim, pauseSeconds: number): Promise<void> {
    await this.database.query(RELEASE, [importId, owner, pauseSeconds, attempts]);
  }

  /** @throws LeaseLost, so that the caller's transaction has no effect */
  async record(tx: Transaction, { importId, owner }: Claim, progress: Progress, rejected: Rejection[]): Promise<void> {
    const { readBytes, rows, imported, created, updated, variants, rejectedCount, appliedLine } = progress;
    const counts = [readBytes, rows, imported, created, updated, variants, rejectedCount];
    mustOwn(await tx.query(RECORD, [importId, owner, ...counts, JSON.stringify(rejected), appliedLine]));
  }

  /** In the transaction of the last progress, so that no fault is told twice. */
  async end(tx: Transaction, { importId, owner }: Claim, state: 'SUCCEEDED' | 'FAILED'): Promise<void> {
    await tx.query(END, [importId, owner, state]);
  }

  /** Tells Postgres how large the tables have become, so that plans of other connections are made anew. */
  async analyze(): Promise<void> {
    await this.database.query(ANALYZE);
  }
}

function mustOwn(rows: unknown[]): void {
  if (rows.length === 0) throw new LeaseLost('Another process works on the import now.');
}

function toClaim(row: ImportRow & { shown_count: number }, owner: string): Claim {
  const { rows, imported, created, updated, variants } = row;
  const counts = { rows, imported, created, updated, variants, rejectedCount: row.rejected_count };
  return {
    importId: row.id,
    owner,
    sizeBytes: Number(row.size_bytes),
    attempts: row.attempts,
    progress: {
      ...counts,
      readBytes: Number(row.read_bytes),
      shownCount: row.shown_count,
      appliedLine: row.applied_line,
    },
  };
}

function toImport(row: ImportRow): Import {
  return {
    importId: row.id,
    state: `STATE_${row.state}` as Import_State,
    sizeBytes: row.size_bytes,
    readBytes: row.read_bytes,
    rows: row.rows,
    imported: row.imported,
    created: row.created,
    updated: row.updated,
    variants: row.variants,
    rejectedCount: row.rejected_count,
    rejected: row.rejected,
    createTime: row.created_at,
    endTime: row.ended_at ?? undefined,
  };
}
