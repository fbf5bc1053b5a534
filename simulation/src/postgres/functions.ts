/** The functions and operators that the services' SQL uses. NULL in, NULL out, unless it says otherwise. */
import { isEqual, compare, intervalOf, Interval, textOf } from './values.ts';

/** The clocks of a statement. */
export interface Moment {
  /** Beginning of the transaction. */
  readonly begun: Date;
  readonly now: Date;
}

type Scalar = (...values: never[]) => unknown;

/** Functions of values. They are called with all arguments, nulls too. */
export const NULLABLE: Readonly<Record<string, (...values: unknown[]) => unknown>> = {
  coalesce: (...values) => values.find((value) => value !== null) ?? null,
  greatest: (...values) => extreme(values, 1),
  least: (...values) => extreme(values, -1),
  nullif: (value, other) => (value !== null && other !== null && isEqual(value, other) ? null : value),
  set_config: (_name, value) => value,
  concat: (...values) => values.map((value) => (value === null ? '' : textOf(value))).join(''),
  jsonb_build_object: (...values) => objectOf(values),
  json_build_object: (...values) => objectOf(values),
};

/** Functions of values that are NULL where one of their arguments is. */
export const STRICT: Readonly<Record<string, Scalar>> = {
  lower: (text: string) => text.toLowerCase(),
  upper: (text: string) => text.toUpperCase(),
  length: (text: string) => text.length,
  abs: (value: number) => Math.abs(value),
  cardinality: (list: unknown[]) => list.length,
  jsonb_array_length: (list: unknown[]) => list.length,
  to_jsonb: (value: unknown) => value,
  jsonb_path_query_array: membersOf,
  make_interval: (seconds: number) => new Interval(seconds * 1_000),
};

/** Functions of a column's values over a group; the values are those that are not null. */
export const AGGREGATES: Readonly<Record<string, (values: unknown[]) => unknown>> = {
  count: (values) => BigInt(values.length),
  sum: (values) => (values.length === 0 ? null : values.reduce((sum, value) => arithmetic('+', sum, value))),
  min: (values) => extreme(values, -1),
  max: (values) => extreme(values, 1),
  bool_or: (values) => (values.length === 0 ? null : values.includes(true)),
  bool_and: (values) => (values.length === 0 ? null : !values.includes(false)),
  array_agg: (values) => (values.length === 0 ? null : values),
  jsonb_agg: (values) => (values.length === 0 ? null : values),
  json_agg: (values) => (values.length === 0 ? null : values),
};

export function arithmetic(operator: string, left: unknown, right: unknown): unknown {
  if (left instanceof Date || right instanceof Date) return dateArithmetic(operator, left, right);
  if (left instanceof Interval || right instanceof Interval) return intervalArithmetic(operator, left, right);
  const isBig = typeof left === 'bigint' || typeof right === 'bigint';
  return isBig && Number.isInteger(Number(left)) && Number.isInteger(Number(right))
    ? bigArithmetic(operator, BigInt(left as bigint), BigInt(right as bigint))
    : numberArithmetic(operator, Number(left), Number(right));
}

function numberArithmetic(operator: string, left: number, right: number): number {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  if (operator === '*') return left * right;
  if (operator === '%') return left % right;
  if (right === 0) throw Object.assign(new Error('division by zero'), { severity: 'ERROR', code: '22012' });
  const quotient = left / right;
  return Number.isInteger(left) && Number.isInteger(right) ? Math.trunc(quotient) : quotient;
}

function bigArithmetic(operator: string, left: bigint, right: bigint): bigint {
  if (operator === '+') return left + right;
  if (operator === '-') return left - right;
  if (operator === '*') return left * right;
  return operator === '%' ? left % right : left / right;
}

function dateArithmetic(operator: string, left: unknown, right: unknown): Date | Interval {
  if (left instanceof Date && right instanceof Date) return new Interval(left.getTime() - right.getTime());
  const [date, interval] = left instanceof Date ? [left, right] : [right as Date, left];
  const ms = interval instanceof Interval ? interval.ms : intervalOf(textOf(interval)).ms;
  return new Date(date.getTime() + (operator === '-' ? -ms : ms));
}

function intervalArithmetic(operator: string, left: unknown, right: unknown): Interval {
  if (left instanceof Interval && right instanceof Interval) {
    return new Interval(operator === '-' ? left.ms - right.ms : left.ms + right.ms);
  }
  const [interval, factor] = left instanceof Interval ? [left, right] : [right as Interval, left];
  return new Interval(operator === '/' ? interval.ms / Number(factor) : interval.ms * Number(factor));
}

/** `a -> 'b'`: a part of a json document. */
export function jsonPart(document: unknown, key: unknown): unknown {
  const part = (document as Record<string, unknown>)[key as string];
  return part === undefined ? null : part;
}

export function extract(field: string, value: unknown): number {
  const ms = value instanceof Interval ? value.ms : (value as Date).getTime();
  if (field !== 'epoch') throw new Error(`The simulated Postgres can't extract ${field}.`);
  return ms / 1_000;
}

export function like(text: string, pattern: string): boolean {
  const escaped = pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replaceAll('%', '.*').replaceAll('_', '.')}$`, 's').test(text);
}

/** Only the path to a member of each element: `$[*].sku`. */
function membersOf(list: Record<string, unknown>[], path: string): unknown[] {
  const member = /^\$\[\*\]\.(\w+)$/.exec(path)?.[1];
  if (!member) throw new Error(`The simulated Postgres knows no path ${path}.`);
  return list.map((element) => element[member]);
}

function extreme(values: unknown[], direction: 1 | -1): unknown {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return null;
  return known.reduce((best, value) => (compare(value, best) * direction > 0 ? value : best));
}

function objectOf(entries: unknown[]): Record<string, unknown> {
  const pairs = entries.flatMap((key, index) =>
    index % 2 === 0 ? [[key as string, toJson(entries[index + 1])] as const] : [],
  );
  return Object.fromEntries(pairs);
}

function toJson(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'bigint' ? Number(value) : value;
}
