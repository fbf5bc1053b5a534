/** Plans queries: where rows come from, which of them stay, in which order, and which are locked. */
import { AGGREGATES } from './functions.ts';
import { ExpressionCompiler, type Evaluate, type Frame, type Rows, type Scope, type Source } from './expressions.ts';
import { sortedBy } from './ordering.ts';
import { tableOf, type Schema } from './schema.ts';
import type { StatementRun } from './statement-run.ts';
import { ID, type Row } from './storage.ts';
import type { Expression, FromItem, Lock, OrderItem, Query, Select, SelectItem, Statement, Values } from './syntax.ts';
import { tableFunction } from './table-functions.ts';

export interface QueryPlan {
  readonly columns: readonly string[];
  readonly rows: Rows;
}

/** A row of the answer and what it was made of. */
interface Made {
  readonly row: Row;
  readonly frame: Frame;
}

interface PartPlan {
  readonly columns: readonly string[];
  readonly scope: Scope;
  readonly make: (run: StatementRun, parent?: Frame) => Made[];
}

type PlanStatement = (statement: Statement) => QueryPlan;

export class QueryPlanner {
  readonly expressions: ExpressionCompiler;
  private readonly schema: Schema;
  private readonly planStatement: PlanStatement;
  /** Columns of the queries in WITH. */
  private readonly named = new Map<string, readonly string[]>();

  /** @param planStatement for the statements in WITH */
  constructor(schema: Schema, planStatement: PlanStatement) {
    this.schema = schema;
    this.planStatement = planStatement;
    const planQuery = (query: Query, scope: Scope) => this.once(scope, (around) => this.plan(query, around));
    this.expressions = new ExpressionCompiler(planQuery);
  }

  /** Plans what stands inside of a query: where it has nothing to do with the rows around it, it is run once. */
  private once<P extends { readonly rows: Rows }>(around: Scope, plan: (scope: Scope) => P): P {
    let usesRows = false;
    const onName = () => {
      around.onName?.();
      usesRows = true;
    };
    const planned = plan({ ...around, onName });
    if (usesRows) return planned;
    return { ...planned, rows: (run, frame) => run.once(planned, () => planned.rows(run, frame)) };
  }

  plan(query: Query, parent?: Scope): QueryPlan {
    const prepare = this.planWith(query.with);
    const parts = query.parts.map(({ body }) => this.planPart(body, parent));
    const [first] = parts;
    if (!first) throw new Error('A query without parts.');
    const order = query.orderBy.map((item) => this.orderBy(item, first, parts.length > 1));
    const [limit, offset] = [query.limit, query.offset].map((count) => this.count(count, parent));
    const lock = query.lock && parts.length === 1 ? this.lock(query.lock, query.parts[0]?.body) : undefined;
    const isUnion = query.parts.slice(1).some(({ all }) => !all);
    const rows: Rows = (run, frame) => {
      prepare(run);
      const all = parts.flatMap((part) => renamed(part.make(run, frame), part.columns, first.columns));
      const by = order.map(({ of, ...item }) => ({ ...item, value: (one: Made) => of(run, one) }));
      const made = sortedBy(isUnion ? distinct(all) : all, by);
      const from = Number(offset?.(run, frame) ?? 0);
      const most = limit?.(run, frame) ?? Infinity;
      const chosen = lock ? lock(run, made, from + Number(most)) : made;
      return chosen.slice(from, from + Number(most)).map(({ row }) => row);
    };
    return { columns: first.columns, rows };
  }

  /** Plans the queries of a WITH; they see one another in their order, and each is run once. */
  planWith(withs: Query['with']): (run: StatementRun) => void {
    const plans = withs.map(({ name, statement }) => {
      const plan = this.planStatement(statement);
      this.named.set(name, plan.columns);
      return { name, rows: plan.rows };
    });
    return (run) => plans.forEach(({ name, rows }) => run.named.set(name, rows(run)));
  }

  /** Sources of a FROM, and all combinations of their rows. */
  from(
    items: readonly FromItem[],
    first: readonly Source[],
    parent?: Scope,
  ): { scope: Scope; frames: (run: StatementRun, start: readonly Frame[]) => Frame[] } {
    let scope: Scope = { sources: first, parent };
    const steps = items.map((item) => {
      const { source, rows } = this.once(scope, (left) => this.source(item, left));
      scope = { sources: [...scope.sources, source], parent };
      const on = this.joinOf(item, source, scope);
      return (run: StatementRun, frames: readonly Frame[]) =>
        frames.flatMap((frame) => join(run, frame, rows, on, item.join));
    });
    return { scope, frames: (run, start) => steps.reduce<Frame[]>((frames, step) => step(run, frames), [...start]) };
  }

  private joinOf({ on, using }: FromItem, { alias }: Source, scope: Scope): Evaluate | undefined {
    if (on) return this.expressions.compile(on, scope);
    if (!using) return undefined;
    const same = using.map((name): Expression => {
      return {
        kind: 'binary',
        operator: '=',
        left: { kind: 'column', name },
        right: { kind: 'column', table: alias, name },
      };
    });
    const all = same.reduce((left, right) => ({ kind: 'binary', operator: 'and', left, right }));
    return this.expressions.compile(all, scope);
  }

  /** The columns of a RETURNING or a SELECT, in their order. */
  items(items: readonly SelectItem[], scope: Scope): { columns: string[]; values: Evaluate[] } {
    const named = items.flatMap((item, index) =>
      item.star ? starColumns(item, scope) : [this.item(item, index, scope)],
    );
    return { columns: named.map(([name]) => name), values: named.map(([, value]) => value) };
  }

  private item(
    { expression, alias }: Extract<SelectItem, { star?: false }>,
    index: number,
    scope: Scope,
  ): [string, Evaluate] {
    return [alias ?? nameOf(expression) ?? `column${index + 1}`, this.expressions.compile(expression, scope)];
  }

  private count(expression: Expression | undefined, parent?: Scope) {
    if (!expression) return undefined;
    const evaluate = this.expressions.compile(expression, { sources: [], parent });
    return (run: StatementRun, frame?: Frame) => evaluate(run, { rows: [], parent: frame }) as number | null;
  }

  private planPart(body: Select | Values, parent?: Scope): PartPlan {
    return body.kind === 'values' ? this.planValues(body, parent) : this.planSelect(body, parent);
  }

  private planValues({ rows }: Values, parent?: Scope): PartPlan {
    const scope: Scope = { sources: [], parent };
    const compiled = rows.map((row) => row.map((value) => this.expressions.compile(value, scope)));
    const columns = (rows[0] ?? []).map((_, index) => `column${index + 1}`);
    const make = (run: StatementRun, outer?: Frame) => {
      const frame: Frame = { rows: [], parent: outer };
      return compiled.map((values) => ({ row: toRow(columns, values, run, frame), frame }));
    };
    return { columns, scope, make };
  }

  private planSelect(select: Select, parent?: Scope): PartPlan {
    const { scope, frames } = this.from(select.from, [], parent);
    const where = select.where && this.expressions.compile(select.where, scope);
    const { columns, values } = this.items(select.items.map(withoutUnnest), scope);
    const spread = columns[select.items.findIndex(isUnnest)];
    const group = this.grouping(select, scope);
    const make = (run: StatementRun, outer?: Frame) => {
      const found = frames(run, [{ rows: [], parent: outer }]).filter((frame) => !where || where(run, frame) === true);
      const made = group(run, found, outer).map((frame) => ({ row: toRow(columns, values, run, frame), frame }));
      const all = spread === undefined ? made : made.flatMap((one) => unnested(one, spread));
      return select.distinct ? distinct(all) : all;
    };
    return { columns, scope, make };
  }

  private grouping({ items, groupBy, having }: Select, scope: Scope) {
    const isGrouped = groupBy.length > 0 || items.some((item) => !item.star && hasAggregate(item.expression));
    if (!isGrouped) return (_run: StatementRun, frames: Frame[]) => frames;
    const keys = groupBy.map((key) => this.expressions.compile(key, scope));
    const keep = having && this.expressions.compile(having, scope);
    return (run: StatementRun, frames: Frame[], parent?: Frame): Frame[] => {
      const keyOf = (frame: Frame) => JSON.stringify(keys.map((key) => String(key(run, frame))));
      const groups = keys.length === 0 ? [frames] : [...Map.groupBy(frames, keyOf).values()];
      const grouped = groups.map((group): Frame => ({ rows: group[0]?.rows ?? [], parent, group }));
      return grouped.filter((frame) => !keep || keep(run, frame) === true);
    };
  }

  private orderBy({ expression, descending, nullsFirst }: OrderItem, { columns, scope }: PartPlan, isUnion: boolean) {
    return { descending, nullsFirst, of: this.orderValue(expression, columns, scope, isUnion) };
  }

  private orderValue(expression: Expression, columns: readonly string[], scope: Scope, isUnion: boolean) {
    const output = outputName(expression, columns);
    if (output !== undefined) return (_run: StatementRun, { row }: Made) => row[output] ?? null;
    if (isUnion) throw new Error('The order of a union goes by its columns.');
    const evaluate = this.expressions.compile(expression, scope);
    return (run: StatementRun, { frame }: Made) => evaluate(run, frame);
  }

  private lock(lock: Lock, body: Select | Values | undefined) {
    if (body?.kind !== 'select') return undefined;
    const tables = body.from.map(({ source }) =>
      source.kind === 'table' && !this.schema.sabotage.unlocked?.test(source.name) ? source.name : undefined,
    );
    return (run: StatementRun, made: readonly Made[], most: number): Made[] => {
      const taken: Made[] = [];
      for (const one of made) {
        if (taken.length >= most) break;
        if (lockRows(run, tables, one.frame, lock)) taken.push(one);
      }
      return taken;
    };
  }

  private source(item: FromItem, scope: Scope): { source: Source; rows: Rows } {
    const { source, alias, columns, types } = item;
    if (source.kind === 'query') return renamedSource(this.plan(source.query, scope), alias ?? '', columns);
    if (source.kind === 'call') {
      const args = source.args.map((arg) => this.expressions.compile(arg, scope));
      return tableFunction(source, args, { schema: this.schema, alias: alias ?? source.name, columns, types });
    }
    const known = this.named.get(source.name);
    const { name } = source;
    if (known) return { source: { alias: alias ?? name, columns: known }, rows: (run) => run.named.get(name) ?? [] };
    const table = tableOf(this.schema, name);
    const names = table.columns.map((column) => column.name);
    return { source: { alias: alias ?? name, columns: names }, rows: (run) => run.rows(name) };
  }
}

function join(run: StatementRun, frame: Frame, rows: Rows, on: Evaluate | undefined, how: 'inner' | 'left'): Frame[] {
  const matching: Frame[] = [];
  for (const row of rows(run, frame)) {
    const extended: Frame = { rows: [...frame.rows, row], parent: frame.parent };
    if (!on || on(run, extended) === true) matching.push(extended);
  }
  return matching.length === 0 && how === 'left' ? [{ rows: [...frame.rows, null], parent: frame.parent }] : matching;
}

export function toRow(columns: readonly string[], values: readonly Evaluate[], run: StatementRun, frame: Frame): Row {
  const row: Record<string, unknown> = {};
  for (let index = 0; index < values.length; index += 1) row[columns[index] ?? ''] = values[index]?.(run, frame);
  return row;
}

function distinct(made: Made[]): Made[] {
  const keyOf = ({ row }: Made) => Object.values(row).map(String).join('\0');
  return [...new Map(made.toReversed().map((one) => [keyOf(one), one])).values()].toReversed();
}

/** The parts of a union go by the column names of the first. */
function renamed(made: Made[], from: readonly string[], to: readonly string[]): Made[] {
  if (from === to) return made;
  return made.map(({ row, frame }) => ({
    row: Object.fromEntries(from.map((name, index) => [to[index] ?? name, row[name]])),
    frame,
  }));
}

function renamedSource(plan: QueryPlan, alias: string, columns: readonly string[]): { source: Source; rows: Rows } {
  if (columns.length === 0) return { source: { alias, columns: plan.columns }, rows: plan.rows };
  const names = plan.columns.map((name, index) => columns[index] ?? name);
  const rename = (row: Row): Row =>
    Object.fromEntries(plan.columns.map((name, index) => [names[index] ?? name, row[name]]));
  return { source: { alias, columns: names }, rows: (run, frame) => plan.rows(run, frame).map(rename) };
}

/** `SELECT unnest(list)`: a row for each of the list. */
function isUnnest(item: SelectItem): boolean {
  return !item.star && item.expression.kind === 'call' && item.expression.name === 'unnest';
}

function withoutUnnest(item: SelectItem): SelectItem {
  if (item.star || item.expression.kind !== 'call' || item.expression.name !== 'unnest') return item;
  const [list] = item.expression.args;
  return list ? { ...item, expression: list, alias: item.alias ?? 'unnest' } : item;
}

function unnested({ row, frame }: Made, column: string): Made[] {
  return ((row[column] as unknown[] | null) ?? []).map((value) => ({ row: { ...row, [column]: value }, frame }));
}

function starColumns({ table }: { table?: string }, { sources }: Scope): [string, Evaluate][] {
  return sources.flatMap(({ alias, columns }, index) => {
    if (table !== undefined && alias !== table) return [];
    return columns.map((name): [string, Evaluate] => [name, (_run, { rows }) => rows[index]?.[name] ?? null]);
  });
}

function lockRows(
  run: StatementRun,
  tables: readonly (string | undefined)[],
  frame: Frame,
  { whenTaken, isShared }: Lock,
): boolean {
  for (const [index, table] of tables.entries()) {
    const row = frame.rows[index];
    if (table === undefined || row?.[ID] === undefined) continue;
    if (whenTaken !== 'wait' && run.isLockedByOthers(table, row)) {
      if (whenTaken === 'skip') return false;
      throw Object.assign(new Error('could not obtain lock on row'), { severity: 'ERROR', code: '55P03' });
    }
    run.lockRow(table, row, isShared);
  }
  return true;
}

function outputName(expression: Expression, columns: readonly string[]): string | undefined {
  if (expression.kind === 'literal' && typeof expression.value === 'number') return columns[expression.value - 1];
  if (expression.kind !== 'column' || expression.table !== undefined) return undefined;
  return columns.includes(expression.name) ? expression.name : undefined;
}

/** The name that Postgres gives a column without one. */
function nameOf(expression: Expression): string | undefined {
  if (expression.kind === 'column' || expression.kind === 'call') return expression.name;
  if (expression.kind === 'cast') return nameOf(expression.operand);
  return expression.kind === 'case' || expression.kind === 'exists' ? expression.kind : undefined;
}

function hasAggregate(expression: Expression): boolean {
  if (expression.kind === 'call' && expression.name in AGGREGATES) return true;
  return partsOf(expression).some(hasAggregate);
}

/** What an expression is made of; queries in it are a world of their own. */
function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'binary':
      return [expression.left, expression.right];
    case 'call':
      return expression.args;
    case 'case':
      return [
        ...expression.branches.flatMap(({ when, then }) => [when, then]),
        ...(expression.otherwise ? [expression.otherwise] : []),
      ];
    case 'array':
    case 'row':
      return expression.items;
    case 'cast':
    case 'extract':
    case 'isNull':
    case 'not':
    case 'negative':
      return [expression.operand];
    default:
      return [];
  }
}
