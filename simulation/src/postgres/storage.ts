/**
 * Rows, versions and locks. Guarantees, as READ COMMITTED gives them: a statement sees what was committed before it
 * began and what its own transaction wrote; a row that somebody else changes is waited for, and then seen as it has
 * become; nothing of a transaction is seen by others before its commit, and then all of it is.
 */
import type { Schema } from './schema.ts';

/** Identifies a row through all of its versions. */
export const ID = Symbol('row');

export type Row = Readonly<Record<string, unknown>> & { readonly [ID]?: number };
type Rows = ReadonlyMap<number, Row>;
/** Rows by their table and identity; null where they are deleted. */
export type Changes = Map<string, Map<number, Row | null>>;

const NO_ROWS: Rows = new Map();

/** Says that a statement has to wait until that transaction ends. */
export class Blocked extends Error {
  readonly holder: Transaction;

  constructor(holder: Transaction) {
    super('A lock is taken.');
    this.holder = holder;
  }
}

/** Says that a row that was waited for has changed: the statement is run again on its new version. */
export class RowChanged extends Error {}

interface Holders {
  only?: Transaction | undefined;
  readonly shared: Set<Transaction>;
}

/** What a database holds. */
export class Storage {
  readonly schema: Schema;
  committed: ReadonlyMap<string, Rows>;
  private readonly locks = new Map<string, Holders>();
  private readonly sequences = new Map<string, bigint>();
  private lastId = 0;

  constructor(schema: Schema) {
    this.schema = schema;
    this.committed = new Map([...schema.tables.keys()].map((table) => [table, NO_ROWS]));
  }

  newId(): number {
    return (this.lastId += 1);
  }

  /** Like Postgres' sequences it never goes back. */
  nextValue(sequence: string): bigint {
    const value = (this.sequences.get(sequence) ?? 0n) + 1n;
    this.sequences.set(sequence, value);
    return value;
  }

  rows(table: string): Row[] {
    return [...(this.committed.get(table) ?? NO_ROWS).values()];
  }

  /** Somebody else whose lock is in the way of this one. */
  obstacle(key: string, transaction: Transaction, isShared: boolean): Transaction | undefined {
    const holders = this.locks.get(key);
    if (!holders) return undefined;
    const others = isShared ? [holders.only] : [holders.only, ...holders.shared];
    return others.find((other) => other !== undefined && other !== transaction);
  }

  /** @returns false where it has it already */
  lock(key: string, transaction: Transaction, isShared: boolean): boolean {
    const holders = this.locks.get(key) ?? { shared: new Set() };
    this.locks.set(key, holders);
    const isNew = isShared ? !holders.shared.has(transaction) : holders.only !== transaction;
    if (isShared) holders.shared.add(transaction);
    else holders.only = transaction;
    return isNew;
  }

  release(keys: Iterable<string>, transaction: Transaction): void {
    for (const key of keys) {
      const holders = this.locks.get(key);
      if (!holders) continue;
      if (holders.only === transaction) holders.only = undefined;
      holders.shared.delete(transaction);
      if (!holders.only && holders.shared.size === 0) this.locks.delete(key);
    }
  }

  apply(changes: Changes): void {
    const committed = new Map(this.committed);
    for (const [table, changed] of changes) {
      const rows = new Map(committed.get(table));
      for (const [id, row] of changed) {
        if (row) rows.set(id, row);
        else rows.delete(id);
      }
      committed.set(table, rows);
    }
    this.committed = committed;
  }
}

interface Savepoint {
  readonly name: string;
  readonly changes: Changes;
  readonly locks: ReadonlySet<string>;
}

/** One transaction: what it wrote so far and what it has locked. */
export class Transaction {
  readonly begun: Date;
  readonly storage: Storage;
  changes: Changes = new Map();
  failed = false;
  lockTimeoutMs = Infinity;
  private locks = new Set<string>();
  private savepoints: Savepoint[] = [];

  constructor(storage: Storage, begun: Date) {
    this.storage = storage;
    this.begun = begun;
  }

  /**
   * @returns false where it had it already
   * @throws Blocked where another transaction has it
   */
  lock(key: string, isShared = false): boolean {
    const holder = this.storage.obstacle(key, this, isShared);
    if (holder) throw new Blocked(holder);
    this.locks.add(key);
    return this.storage.lock(key, this, isShared);
  }

  unlock(key: string): void {
    this.storage.release([key], this);
    this.locks.delete(key);
  }

  setSavepoint(name: string): void {
    this.savepoints.push({ name, changes: copyOf(this.changes), locks: new Set(this.locks) });
  }

  releaseSavepoint(name: string): void {
    this.savepoints.length = Math.max(
      0,
      this.savepoints.findLastIndex((savepoint) => savepoint.name === name),
    );
  }

  rollBackTo(name: string): void {
    const index = this.savepoints.findLastIndex((savepoint) => savepoint.name === name);
    const savepoint = this.savepoints[index];
    if (!savepoint) throw new Error(`savepoint "${name}" does not exist`);
    this.savepoints.length = index + 1;
    this.takeBack(savepoint);
    this.failed = false;
  }

  /** Does nothing more until it is rolled back; what came after the last savepoint is gone already, with its locks. */
  fail(): void {
    this.takeBack(this.savepoints.at(-1));
    this.failed = true;
  }

  private takeBack(to: Savepoint | undefined): void {
    this.changes = to ? copyOf(to.changes) : new Map<string, Map<number, Row | null>>();
    const later = [...this.locks].filter((key) => !to?.locks.has(key));
    this.storage.release(later, this);
    this.locks = new Set(to?.locks);
  }

  commit(): void {
    if (this.changes.size > 0) this.storage.apply(this.changes);
    this.end();
  }

  end(): void {
    this.storage.release(this.locks, this);
    this.locks.clear();
  }
}

function copyOf(changes: Changes): Changes {
  return new Map([...changes].map(([table, rows]) => [table, new Map(rows)]));
}
