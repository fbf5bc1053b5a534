/** One statement on its way: what it sees, what it has written so far, what it waits for. */
import { compare } from './values.ts';
import { Blocked, ID, RowChanged, type Changes, type Row, type Storage, type Transaction } from './storage.ts';

export class StatementRun {
  readonly params: readonly unknown[];
  readonly transaction: Transaction;
  readonly now: Date;
  /** What the queries of WITH gave. */
  readonly named = new Map<string, Row[]>();
  private readonly storage: Storage;
  private readonly snapshot: Storage['committed'];
  /** Rows that were waited for, as they had become. */
  private readonly refreshed: Changes = new Map();
  private writes: Changes = new Map();
  private readonly known = new Map<object, Row[]>();

  constructor(transaction: Transaction, params: readonly unknown[], now: Date) {
    this.transaction = transaction;
    this.storage = transaction.storage;
    this.snapshot = this.storage.committed;
    this.params = params;
    this.now = now;
  }

  /** Forgets what was done, to begin anew on what is known by now. */
  restart(): void {
    this.writes = new Map();
    this.named.clear();
    this.known.clear();
  }

  /** What is the same all through a statement is found once. */
  once(what: object, find: () => Row[]): Row[] {
    const known = this.known.get(what);
    if (known) return known;
    const rows = find();
    this.known.set(what, rows);
    return rows;
  }

  /** What the statement sees of a table; not what it wrote itself. */
  rows(table: string): Row[] {
    const layers = [this.refreshed.get(table), this.transaction.changes.get(table)].filter((layer) => layer?.size);
    if (layers.length === 0) return [...(this.snapshot.get(table)?.values() ?? [])];
    const rows = new Map<number, Row | null>(this.snapshot.get(table));
    for (const layer of layers) layer?.forEach((row, id) => rows.set(id, row));
    return [...rows.values()].filter((row) => row !== null);
  }

  /** One of the rows that there are by now: committed, or written by this transaction, this statement included. */
  findPresent(table: string, isMeant: (row: Row) => boolean): Row | undefined {
    const layers = [this.writes.get(table), this.transaction.changes.get(table), this.storage.committed.get(table)];
    for (const [index, rows] of layers.entries()) {
      for (const [id, row] of rows ?? []) {
        const isOverwritten = layers.slice(0, index).some((upper) => upper?.has(id));
        if (row && !isOverwritten && isMeant(row)) return row;
      }
    }
    return undefined;
  }

  /**
   * Locks a row.
   * @throws Blocked where another transaction has it, RowChanged where it is not what this statement saw
   */
  lockRow(table: string, row: Row, isShared = false): void {
    const id = row[ID] ?? 0;
    this.transaction.lock(`${table}#${id}`, isShared);
    const isOwn = this.transaction.changes.get(table)?.has(id) === true;
    const latest = this.storage.committed.get(table)?.get(id);
    if (isOwn || latest === row) return;
    layer(this.refreshed, table).set(id, latest ?? null);
    throw new RowChanged();
  }

  isLockedByOthers(table: string, row: Row): boolean {
    return this.storage.obstacle(`${table}#${row[ID]}`, this.transaction, false) !== undefined;
  }

  /** Locks a row that the statement has met as it is by now. */
  lockExisting(table: string, row: Row): void {
    this.transaction.lock(`${table}#${row[ID]}`);
  }

  /** Another row under that key by now, after waiting for whoever is about to write one. */
  findByKey(
    table: string,
    constraint: string,
    columns: readonly string[],
    row: Row,
    isMember: (row: Row) => boolean = () => true,
  ): Row | undefined {
    const key = columns.map((column) => row[column]);
    if (key.some((value) => value === null)) return undefined;
    const lock = `${constraint}=${key.map(String).join('|')}`;
    const isNew = this.transaction.lock(lock);
    const isSame = (other: Row) => columns.every((column, index) => isSameValue(other[column], key[index]));
    const found = this.findPresent(table, (other) => other[ID] !== row[ID] && isSame(other) && isMember(other));
    // Only a key that is about to be written keeps others waiting.
    if (found && isNew) this.transaction.unlock(lock);
    if (found) this.waitFor(table, found);
    return found;
  }

  private waitFor(table: string, row: Row): void {
    const holder = this.storage.obstacle(`${table}#${row[ID]}`, this.transaction, true);
    if (holder) throw new Blocked(holder);
  }

  write(table: string, id: number, row: Row | null): void {
    layer(this.writes, table).set(id, row);
  }

  newRow(values: Readonly<Record<string, unknown>>): Row {
    return { ...values, [ID]: this.storage.newId() };
  }

  nextValue(sequence: string): bigint {
    return this.storage.nextValue(sequence);
  }

  /** Makes what was written the transaction's. */
  finish(): void {
    for (const [table, rows] of this.writes) {
      const target = layer(this.transaction.changes, table);
      rows.forEach((row, id) => target.set(id, row));
    }
  }
}

function layer(changes: Changes, table: string): Map<number, Row | null> {
  const existing = changes.get(table);
  if (existing) return existing;
  const rows = new Map<number, Row | null>();
  changes.set(table, rows);
  return rows;
}

function isSameValue(a: unknown, b: unknown): boolean {
  return a !== null && b !== null && compare(a, b) === 0;
}
