/** Plans INSERT, UPDATE and DELETE: rows are checked and locked as they are written. */
import { sqlError } from './errors.ts';
import type { Evaluate, Frame, Rows, Scope, Source } from './expressions.ts';
import type { QueryPlan, QueryPlanner } from './queries.ts';
import { toRow } from './queries.ts';
import { tableOf, type Column, type ForeignKey, type Schema, type Table, type Unique } from './schema.ts';
import type { StatementRun } from './statement-run.ts';
import { ID, type Row } from './storage.ts';
import type { Assignment, Delete, Insert, OnConflict, SelectItem, Update } from './syntax.ts';
import { castTo } from './values.ts';

/** Writes the columns that an assignment names. */
type Assign = (run: StatementRun, frame: Frame) => Record<string, unknown>;
type Writer = (run: StatementRun, row: Row, before?: Row) => Unique | undefined;

const NO_FRAME: Frame = { rows: [] };

export class ChangePlanner {
  private readonly schema: Schema;
  private readonly queries: QueryPlanner;

  constructor(schema: Schema, queries: QueryPlanner) {
    this.schema = schema;
    this.queries = queries;
  }

  insert(statement: Insert): QueryPlan {
    const table = tableOf(this.schema, statement.table);
    const source = sourceOf(table, statement.alias);
    const prepare = this.queries.planWith(statement.with);
    const input = statement.source ? this.queries.plan(statement.source) : undefined;
    const names = statement.columns ?? table.columns.map(({ name }) => name);
    const fill = this.fill(table);
    const write = this.writer(table);
    const onConflict = statement.onConflict && this.onConflict(table, source, statement.onConflict);
    const returning = this.returning(statement.returning, { sources: [source] });
    const rows: Rows = (run) => {
      prepare(run);
      const given = input ? input.rows(run).map((row) => picked(row, input.columns, names)) : [{}];
      return given.flatMap((values) => {
        const row = run.newRow(fill(run, values));
        const violated = write(run, row);
        if (!violated) return [returning.row(run, { rows: [row] })];
        if (!onConflict?.isMeant(violated)) throw uniqueViolation(violated);
        const updated = onConflict.update(run, row, violated);
        return updated ? [returning.row(run, { rows: [updated] })] : [];
      });
    };
    return { columns: returning.columns, rows };
  }

  update(statement: Update): QueryPlan {
    const table = tableOf(this.schema, statement.table);
    const { matching, scope } = this.target(table, statement);
    const assign = this.assignments(table, statement.set, scope);
    const write = this.writer(table);
    const returning = this.returning(statement.returning, scope);
    const rows: Rows = (run) =>
      matching(run).map((frame) => {
        const [before, ...others] = frame.rows as [Row, ...Row[]];
        const after: Row = { ...before, ...assign(run, frame) };
        const violated = write(run, after, before);
        if (violated) throw uniqueViolation(violated);
        return returning.row(run, { rows: [after, ...others] });
      });
    return { columns: returning.columns, rows };
  }

  delete(statement: Delete): QueryPlan {
    const table = tableOf(this.schema, statement.table);
    const { matching, scope } = this.target(table, statement);
    const returning = this.returning(statement.returning, scope);
    const rows: Rows = (run) =>
      matching(run).map((frame) => {
        run.write(table.name, frame.rows[0]?.[ID] ?? 0, null);
        return returning.row(run, frame);
      });
    return { columns: returning.columns, rows };
  }

  /** The rows to change, each once and locked, with what they were joined to. */
  private target(table: Table, { alias, from, where, with: withs }: Update | Delete) {
    const source = sourceOf(table, alias);
    const prepare = this.queries.planWith(withs);
    const { scope, frames } = this.queries.from(from, [source]);
    const isMeant = where && this.queries.expressions.compile(where, scope);
    const matching = (run: StatementRun): Frame[] => {
      prepare(run);
      const candidates = run.rows(table.name).flatMap((row) => {
        const found = frames(run, [{ rows: [row] }]).find((frame) => !isMeant || isMeant(run, frame) === true);
        return found ? [found] : [];
      });
      for (const { rows } of candidates) run.lockRow(table.name, rows[0] as Row);
      return candidates;
    };
    return { matching, scope };
  }

  private assignments(table: Table, set: readonly Assignment[], scope: Scope): Assign {
    const changing = set.filter(({ column }) => !this.schema.sabotage.frozen?.test(column));
    const compiled = changing.map(({ column, value }) => {
      const { name, type, default: byDefault } = columnOf(table, column);
      const isDefault = value.kind === 'call' && value.name === 'default';
      const expression = isDefault ? (byDefault ?? { kind: 'literal' as const, value: null }) : value;
      return { name, cast: castTo(type), evaluate: this.queries.expressions.compile(expression, scope) };
    });
    return (run, frame) => {
      const values: Record<string, unknown> = {};
      for (const { name, cast, evaluate } of compiled) values[name] = cast(evaluate(run, frame));
      return values;
    };
  }

  /** Completes a new row by its defaults. */
  private fill(
    table: Table,
  ): (run: StatementRun, values: Readonly<Record<string, unknown>>) => Record<string, unknown> {
    const scope: Scope = { sources: [] };
    const columns = table.columns.map((column) => ({
      ...column,
      cast: castTo(column.type),
      byDefault: column.default && this.queries.expressions.compile(column.default, scope),
    }));
    return (run, values) => {
      const row: Record<string, unknown> = {};
      for (const { name, cast, identity, byDefault } of columns) {
        const given = values[name];
        if (given !== undefined) row[name] = cast(given);
        else if (identity) row[name] = cast(run.nextValue(`${table.name}.${name}`));
        else row[name] = byDefault ? cast(byDefault(run, NO_FRAME)) : null;
      }
      return row;
    };
  }

  /** @returns what writes a row, unless that violates a unique constraint, which it answers then */
  private writer(table: Table): Writer {
    const scope: Scope = { sources: [sourceOf(table, undefined)] };
    const compile = (expression: Parameters<typeof this.queries.expressions.compile>[0]) =>
      this.queries.expressions.compile(expression, scope);
    const checks = table.checks.map(({ name, expression }) => ({ name, holds: compile(expression) }));
    const references = table.foreignKeys.map((key) => ({ key, of: key.keys ?? primaryKey(this.schema, key) }));
    const uniques = table.uniques.map((unique) => ({ unique, applies: unique.where && compile(unique.where) }));
    return (run, row, before) => {
      checkRow(table, checks, run, row);
      for (const { key, of } of references) checkReference(run, row, key, of);
      // A row may also come into a partial index without a change of its key.
      const moved = uniques.filter(
        ({ unique, applies }) => !before || applies || unique.columns.some((name) => row[name] !== before[name]),
      );
      const violated = moved.find(({ unique, applies }) => isTaken(run, table, unique, applies, row));
      if (!violated) run.write(table.name, row[ID] ?? 0, row);
      return violated?.unique;
    };
  }

  private onConflict(table: Table, source: Source, { constraint, columns, set, where }: OnConflict) {
    const excluded: Source = { alias: 'excluded', columns: source.columns };
    const scope: Scope = { sources: [source, excluded] };
    const assign = set && this.assignments(table, set, scope);
    const isWanted = where && this.queries.expressions.compile(where, scope);
    const write = this.writer(table);
    const isMeant = (unique: Unique) =>
      (constraint === undefined || unique.name === constraint) &&
      (columns === undefined || columns.toSorted().join() === unique.columns.toSorted().join());
    const update = (run: StatementRun, row: Row, violated: Unique): Row | undefined => {
      if (!assign) return undefined;
      const existing = run.findByKey(table.name, violated.name, violated.columns, row);
      if (!existing) throw new Error(`The row that conflicts in ${table.name} is gone.`);
      run.lockExisting(table.name, existing);
      const frame: Frame = { rows: [existing, row] };
      if (isWanted && isWanted(run, frame) !== true) return undefined;
      const after: Row = { ...existing, ...assign(run, frame) };
      write(run, after, existing);
      return after;
    };
    return { isMeant, update };
  }

  private returning(items: readonly SelectItem[], scope: Scope) {
    const { columns, values } = this.queries.items(items, scope);
    return { columns, row: (run: StatementRun, frame: Frame) => toRow(columns, values, run, frame) };
  }
}

function sourceOf({ name, columns }: Table, alias: string | undefined): Source {
  return { alias: alias ?? name, columns: columns.map((column) => column.name) };
}

function columnOf(table: Table, name: string): Column {
  const column = table.columns.find((candidate) => candidate.name === name);
  if (!column) throw new Error(`The simulated table ${table.name} has no column ${name}.`);
  return column;
}

/** What a query gave, under the names of the columns that it is for. */
function picked(row: Row, from: readonly string[], to: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(from.map((name, index) => [to[index] ?? name, row[name]]));
}

function checkRow(
  table: Table,
  checks: readonly { name: string; holds: Evaluate }[],
  run: StatementRun,
  row: Row,
): void {
  for (const { name, notNull } of table.columns) {
    if (notNull && row[name] === null) throw sqlError('23502', `null value in column "${name}" of ${table.name}`);
  }
  const frame: Frame = { rows: [row] };
  for (const { name, holds } of checks) {
    if (holds(run, frame) === false) throw sqlError('23514', `violates check constraint "${name}"`, name);
  }
}

function primaryKey(schema: Schema, { table, columns }: ForeignKey): readonly string[] {
  return tableOf(schema, table).uniques.find(({ name }) => name === `${table}_pkey`)?.columns ?? columns;
}

function checkReference(run: StatementRun, row: Row, { columns, table }: ForeignKey, keys: readonly string[]): void {
  const wanted = columns.map((name) => row[name]);
  if (wanted.includes(null)) return;
  if (!run.findPresent(table, (candidate) => keys.every((name, index) => candidate[name] === wanted[index]))) {
    throw sqlError('23503', `insert or update violates a foreign key to ${table}`);
  }
}

function isTaken(
  run: StatementRun,
  table: Table,
  { name, columns }: Unique,
  applies: Evaluate | undefined,
  row: Row,
): boolean {
  const isMember = (candidate: Row) => !applies || applies(run, { rows: [candidate] }) === true;
  return isMember(row) && run.findByKey(table.name, name, columns, row, isMember) !== undefined;
}

function uniqueViolation({ name }: Unique): Error {
  return sqlError('23505', `duplicate key value violates unique constraint "${name}"`, name);
}
