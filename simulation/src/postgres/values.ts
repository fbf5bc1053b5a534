/**
 * Values as the drivers give them: int4 and float8 are numbers, int8 is a bigint, timestamps are Dates of whole
 * milliseconds, json is parsed, NULL is null. What Postgres would refuse to compare or to cast is an error here too.
 */

import { sqlError } from './errors.ts';

/** A length of time. */
export class Interval {
  readonly ms: number;

  constructor(ms: number) {
    this.ms = ms;
  }
}

/** Later than any other moment. */
const INFINITY = new Date(8.64e15);

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  sec: 1_000,
  second: 1_000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
};

export function intervalOf(text: string): Interval {
  const parts = [...text.matchAll(/(-?[\d.]+)\s*([a-z]+)/g)];
  if (parts.length === 0) throw new Error(`The simulated Postgres knows no interval '${text}'.`);
  const ms = parts.map(([, count, unit]) => Number(count) * unitOf(unit ?? ''));
  return new Interval(ms.reduce((sum, part) => sum + part, 0));
}

function unitOf(name: string): number {
  const unit = UNITS[name] ?? UNITS[name.replace(/s$/, '')];
  if (unit === undefined) throw new Error(`The simulated Postgres knows no unit '${name}'.`);
  return unit;
}

/** Negative, zero or positive. Both are not null. */
export function compare(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) return compareRows(a, b);
  const [left, right] = [comparable(a, b), comparable(b, a)];
  if (typeof left === 'object' || typeof right === 'object') {
    return JSON.stringify(left) === JSON.stringify(right) ? 0 : 1;
  }
  // The mixed number types of JavaScript compare as they should, also with each other.
  return left === right ? 0 : (left as number) < (right as number) ? -1 : (left as number) > (right as number) ? 1 : 0;
}

export function isEqual(a: unknown, b: unknown): boolean {
  return compare(a, b) === 0;
}

function compareRows(a: readonly unknown[], b: readonly unknown[]): number {
  for (const [index, item] of a.entries()) {
    const order = compare(item, b[index]);
    if (order !== 0) return order;
  }
  return a.length - b.length;
}

/** Parameters come as text, and take the type of what they are compared with. */
function comparable(value: unknown, other: unknown): unknown {
  if (value instanceof Date) return value.getTime();
  if (value instanceof Interval) return value.ms;
  if (typeof value !== 'string') return value;
  if (other instanceof Date) return new Date(value).getTime();
  return typeof other === 'number' || typeof other === 'bigint' ? Number(value) : value;
}

export function cast(value: unknown, type: string): unknown {
  if (value === null || value === undefined) return null;
  if (type.endsWith('[]')) return arrayOf(value).map((item) => cast(item, type.slice(0, -2)));
  switch (type) {
    case 'int':
    case 'int4':
    case 'integer':
    case 'smallint':
      return Math.round(Number(value));
    case 'int8':
    case 'bigint':
      return BigInt(typeof value === 'number' ? Math.round(value) : (value as string | bigint | boolean));
    case 'float8':
    case 'float4':
    case 'real':
      return Number(value);
    case 'numeric':
      return typeof value === 'bigint' ? value : Number(value);
    case 'bool':
    case 'boolean':
      return typeof value === 'boolean' ? value : value === 'true' || value === 't';
    case 'uuid':
      return uuidOf(value);
    case 'text':
    case 'varchar':
    case 'char':
      return textOf(value);
    case 'timestamptz':
    case 'timestamp':
      return value instanceof Date ? value : value === 'infinity' ? INFINITY : new Date(value as string);
    case 'json':
    case 'jsonb':
      return typeof value === 'string' ? (JSON.parse(value) as unknown) : value;
    case 'interval':
      return value instanceof Interval ? value : intervalOf(textOf(value));
    default:
      throw new Error(`The simulated Postgres knows no type ${type}.`);
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function uuidOf(value: unknown): string {
  const uuid = textOf(value).toLowerCase();
  if (!UUID.test(uuid)) throw sqlError('22P02', `invalid input syntax for type uuid: "${uuid}"`);
  return uuid;
}

export function textOf(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : `${value as string | number | bigint | boolean}`;
}

function arrayOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`The simulated Postgres takes no ${typeof value} for an array.`);
}
