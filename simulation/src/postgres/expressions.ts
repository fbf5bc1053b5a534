/** Turns expressions into functions. NULL is neither true nor false, as in SQL. */
import { AGGREGATES, arithmetic, extract, jsonPart, like, NULLABLE, STRICT } from './functions.ts';
import { sortedBy } from './ordering.ts';
import type { Row } from './storage.ts';
import type { StatementRun } from './statement-run.ts';
import type { Expression, Query } from './syntax.ts';
import { castTo, compare, intervalOf, isEqual, textOf } from './values.ts';

/** Something that columns are taken from. */
export interface Source {
  readonly alias: string;
  readonly columns: readonly string[];
}

/** What names mean at a place; `parent` is the query around a subquery. */
export interface Scope {
  readonly sources: readonly Source[];
  readonly parent?: Scope;
  /** Told when a name is looked for here: what stands inside then gives something else for each row. */
  readonly onName?: () => void;
}

/** A row of each source; with `group` it stands for many. */
export interface Frame {
  readonly rows: readonly (Row | null)[];
  readonly parent?: Frame;
  readonly group?: readonly Frame[];
}

export type Evaluate = (run: StatementRun, frame: Frame) => unknown;
export type Rows = (run: StatementRun, parent?: Frame) => Row[];

/** How a query within an expression is planned. */
export type PlanQuery = (query: Query, scope: Scope) => { readonly columns: readonly string[]; readonly rows: Rows };

const COMPARISONS: Readonly<Record<string, (order: number) => boolean>> = {
  '<>': (order) => order !== 0,
  '<': (order) => order < 0,
  '>': (order) => order > 0,
  '<=': (order) => order <= 0,
  '>=': (order) => order >= 0,
};

export class ExpressionCompiler {
  private readonly planQuery: PlanQuery;

  constructor(planQuery: PlanQuery) {
    this.planQuery = planQuery;
  }

  compile(expression: Expression, scope: Scope): Evaluate {
    const compile = (part: Expression) => this.compile(part, scope);
    switch (expression.kind) {
      case 'literal':
        return constant(expression.value);
      case 'interval':
        return constant(intervalOf(expression.text));
      case 'param':
        return ({ params }) => params[expression.index] ?? null;
      case 'column':
        return columnOf(expression, scope);
      case 'not':
        return not(compile(expression.operand));
      case 'negative':
        return strict([compile(expression.operand)], (value) => arithmetic('*', value, -1));
      case 'isNull':
        return isNull(compile(expression.operand));
      case 'binary':
        return this.binary(expression, scope);
      case 'cast': {
        const cast = castTo(expression.type);
        return strict([compile(expression.operand)], (value) => cast(value));
      }
      case 'case':
        return this.case(expression, scope);
      case 'call':
        return this.call(expression, scope);
      case 'extract':
        return strict([compile(expression.operand)], (value) => extract(expression.field, value));
      case 'array':
      case 'row':
        return list(expression.items.map(compile));
      case 'in':
      case 'any':
        return this.membership(expression, scope);
      case 'exists':
      case 'scalar':
      case 'arrayOf':
        return this.subquery(expression.kind, expression.query, scope);
    }
  }

  private binary({ operator, left, right }: Extract<Expression, { kind: 'binary' }>, scope: Scope): Evaluate {
    const [a, b] = [this.compile(left, scope), this.compile(right, scope)];
    if (operator === 'and') return and(a, b);
    if (operator === 'or') return or(a, b);
    if (operator === 'is distinct from') return (run, frame) => isDistinct(a(run, frame), b(run, frame));
    return strict([a, b], operatorOf(operator));
  }

  private case({ branches, otherwise }: Extract<Expression, { kind: 'case' }>, scope: Scope): Evaluate {
    const compiled = branches.map(({ when, then }) => [this.compile(when, scope), this.compile(then, scope)] as const);
    const last = otherwise ? this.compile(otherwise, scope) : constant(null);
    return (run, frame) => {
      const branch = compiled.find(([when]) => when(run, frame) === true);
      return (branch?.[1] ?? last)(run, frame);
    };
  }

  private call(call: Extract<Expression, { kind: 'call' }>, scope: Scope): Evaluate {
    const { name, args } = call;
    if (name === 'now' || name === 'transaction_timestamp') return ({ transaction }) => transaction.begun;
    if (name === 'clock_timestamp' || name === 'statement_timestamp') return ({ now }) => now;
    if (name in AGGREGATES) return this.aggregate(call, scope);
    const compiled = sameTypes(name, args).map((arg) => this.compile(arg, scope));
    if (name === 'set_config') return setConfig(compiled);
    const nullable = NULLABLE[name];
    if (nullable) return (run, frame) => nullable(...compiled.map((arg) => arg(run, frame)));
    const simple = STRICT[name];
    if (!simple) throw new Error(`The simulated Postgres knows no function ${name}.`);
    return strict(compiled, simple as (...values: unknown[]) => unknown);
  }

  private aggregate(
    { name, args, distinct, orderBy = [], filter }: Extract<Expression, { kind: 'call' }>,
    scope: Scope,
  ) {
    const [arg, keep] = [args[0], filter].map((part) => part && this.compile(part, scope));
    const by = orderBy.map((item) => ({ ...item, evaluate: this.compile(item.expression, scope) }));
    const reduce = AGGREGATES[name] ?? (() => null);
    return (run: StatementRun, frame: Frame) => {
      const frames = (frame.group ?? []).filter((one) => !keep || keep(run, one) === true);
      const order = by.map(({ evaluate, ...item }) => ({ ...item, value: (one: Frame) => evaluate(run, one) }));
      const values = sortedBy(frames, order).map((one) => (arg ? arg(run, one) : true));
      const known = values.filter((value) => value !== null);
      return reduce(distinct ? distinctOf(known) : known);
    };
  }

  private membership(expression: Extract<Expression, { kind: 'in' | 'any' }>, scope: Scope): Evaluate {
    const isIn = expression.kind === 'in';
    const operand = this.compile(isIn ? expression.operand : expression.left, scope);
    const test = operatorOf(isIn ? '=' : expression.operator);
    const items = this.items(isIn ? expression.list : expression.array, scope);
    return (run, frame) => {
      const value = operand(run, frame);
      if (value === null) return null;
      const candidates = items(run, frame);
      if (candidates.some((candidate) => candidate !== null && test(value, candidate) === true)) return true;
      return candidates.includes(null) ? null : false;
    };
  }

  private items(
    from: Expression | readonly Expression[] | Query,
    scope: Scope,
  ): (run: StatementRun, frame: Frame) => unknown[] {
    if (isQuery(from)) {
      const { columns, rows } = this.planQuery(from, scope);
      return (run, frame) => rows(run, frame).map((row) => row[columns[0] ?? '']);
    }
    const compiled = isList(from) ? list(from.map((item) => this.compile(item, scope))) : this.compile(from, scope);
    return (run, frame) => (compiled(run, frame) as unknown[] | null) ?? [];
  }

  private subquery(kind: 'exists' | 'scalar' | 'arrayOf', query: Query, scope: Scope): Evaluate {
    const { columns, rows } = this.planQuery(query, scope);
    const [column = ''] = columns;
    if (kind === 'exists') return (run, frame) => rows(run, frame).length > 0;
    if (kind === 'arrayOf') return (run, frame) => rows(run, frame).map((row) => row[column]);
    return (run, frame) => rows(run, frame)[0]?.[column] ?? null;
  }
}

/** @returns a function that is NULL where one of its arguments is */
function strict(args: readonly Evaluate[], work: (...values: unknown[]) => unknown): Evaluate {
  const [first, second] = args;
  if (first && !second) {
    return (run, frame) => {
      const value = first(run, frame);
      return value === null || value === undefined ? null : work(value);
    };
  }
  return (run, frame) => {
    const values: unknown[] = [];
    for (const arg of args) {
      const value = arg(run, frame);
      if (value === null || value === undefined) return null;
      values.push(value);
    }
    return work(...values);
  };
}

function operatorOf(operator: string): (left: unknown, right: unknown) => unknown {
  if (operator === '=') return isEqual;
  const comparison = COMPARISONS[operator];
  if (comparison) return (left, right) => comparison(compare(left, right));
  switch (operator) {
    case '||':
      return (left, right) =>
        Array.isArray(left) ? [...(left as unknown[]), ...(right as unknown[])] : textOf(left) + textOf(right);
    case '->':
      return jsonPart;
    case '->>':
      return (left, right) => textPart(jsonPart(left, right));
    case '?|':
      return (left, right) => (right as unknown[]).some((key) => (left as unknown[]).includes(key));
    case '~':
      return (left, right) => new RegExp(right as string).test(left as string);
    case 'like':
      return (left, right) => like(left as string, right as string);
    default:
      return (left, right) => arithmetic(operator, left, right);
  }
}

function textPart(value: unknown): string | null {
  return value === null ? null : textOf(value);
}

function constant(value: unknown): Evaluate {
  return () => value;
}

function list(items: readonly Evaluate[]): Evaluate {
  return (run, frame) => items.map((item) => item(run, frame));
}

function isNull(operand: Evaluate): Evaluate {
  return (run, frame) => operand(run, frame) === null;
}

function not(operand: Evaluate): Evaluate {
  return (run, frame) => {
    const value = operand(run, frame);
    return value === null ? null : value !== true;
  };
}

function and(a: Evaluate, b: Evaluate): Evaluate {
  return (run, frame) => {
    const left = a(run, frame);
    if (left === false) return false;
    const right = b(run, frame);
    return right === false ? false : left === null || right === null ? null : true;
  };
}

function or(a: Evaluate, b: Evaluate): Evaluate {
  return (run, frame) => {
    const left = a(run, frame);
    if (left === true) return true;
    const right = b(run, frame);
    return right === true ? true : left === null || right === null ? null : false;
  };
}

function isDistinct(a: unknown, b: unknown): boolean {
  return a === null || b === null ? a !== b : !isEqual(a, b);
}

/** Of the settings only the limit of waiting for locks has an effect. */
function setConfig(args: readonly Evaluate[]): Evaluate {
  return (run, frame) => {
    const [name, value] = args.map((arg) => arg(run, frame));
    if (name === 'lock_timeout') run.transaction.lockTimeoutMs = intervalOf(value as string).ms;
    return value;
  };
}

/** What stands beside json in a COALESCE is json. */
function sameTypes(name: string, args: readonly Expression[]): readonly Expression[] {
  const [first] = args;
  if (name !== 'coalesce' || first?.kind !== 'call' || !first.name.startsWith('json')) return args;
  return args.map((operand) => (operand.kind === 'literal' ? { kind: 'cast', operand, type: 'jsonb' } : operand));
}

function distinctOf(values: unknown[]): unknown[] {
  return values.filter((value, index) => values.findIndex((other) => isEqual(other, value)) === index);
}

/** Finds a column in the nearest query that has it; a function's only column goes by the name of the function too. */
function columnOf({ table, name }: { table?: string; name: string }, scope: Scope): Evaluate {
  let depth = 0;
  for (let level: Scope | undefined = scope; level; level = level.parent, depth += 1) {
    level.onName?.();
    const index = level.sources.findIndex(
      ({ alias, columns }) => (table === undefined || alias === table) && columns.includes(name),
    );
    if (index >= 0) return fetchColumn(depth, index, name);
  }
  throw new Error(`The simulated Postgres finds no column ${table ? `${table}.` : ''}${name}.`);
}

function fetchColumn(depth: number, index: number, name: string): Evaluate {
  if (depth === 0) return (_run, frame) => frame.rows[index]?.[name] ?? null;
  return (_run, frame) => {
    let level: Frame | undefined = frame;
    for (let up = 0; up < depth; up += 1) level = level?.parent;
    return level?.rows[index]?.[name] ?? null;
  };
}

function isQuery(value: Expression | readonly Expression[] | Query): value is Query {
  return 'kind' in value && value.kind === 'query';
}

function isList(value: Expression | readonly Expression[]): value is readonly Expression[] {
  return Array.isArray(value);
}
