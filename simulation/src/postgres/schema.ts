/** What a database is made of, and what is switched off in it to see what breaks. */
import type { Expression } from './syntax.ts';

export interface Column {
  readonly name: string;
  readonly type: string;
  readonly notNull: boolean;
  readonly default?: Expression;
  /** GENERATED ALWAYS AS IDENTITY. */
  readonly identity: boolean;
}

export interface Unique {
  readonly name: string;
  readonly columns: readonly string[];
  /** Of a partial index. */
  readonly where?: Expression;
}

export interface Check {
  readonly name: string;
  readonly expression: Expression;
}

export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
  /** Of that table; its primary key where they are missing. */
  readonly keys?: readonly string[] | undefined;
}

export interface Table {
  readonly name: string;
  readonly columns: Column[];
  uniques: Unique[];
  checks: Check[];
  readonly foreignKeys: ForeignKey[];
}

/** Safeguards of the database that are taken out. */
export interface Sabotage {
  /** Unique and check constraints that are not enforced. */
  readonly constraints?: RegExp;
  /** Tables whose rows FOR UPDATE does not lock. */
  readonly unlocked?: RegExp;
  /** Columns that no UPDATE changes. */
  readonly frozen?: RegExp;
}

export interface Schema {
  readonly tables: Map<string, Table>;
  /** Statements of the migrations that write rows. */
  readonly seeds: string[];
  readonly sabotage: Sabotage;
}

export function tableOf(schema: Schema, name: string): Table {
  const table = schema.tables.get(name);
  if (!table) throw new Error(`The simulated Postgres has no table ${name}.`);
  return table;
}
