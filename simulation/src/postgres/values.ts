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
  // Most are texts or numbers of one kind: whatever else there is can wait.
  if (a === b) return 0;
  if (typeof a === 'string' && typeof b === 'string') return a < b ? -1 : 1;
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

type Cast = (value: unknown) => unknown;

const toWhole: Cast = (value) => Math.round(Number(value));
const toBigint: Cast = (value) =>
  BigInt(typeof value === 'number' ? Math.round(value) : (value as string | bigint | boolean));
const toBoolean: Cast = (value) => (typeof value === 'boolean' ? value : value === 'true' || value === 't');
const toMoment: Cast = (value) =>
  value instanceof Date ? value : value === 'infinity' ? INFINITY : new Date(value as string);
const toJson: Cast = (value) => (typeof value === 'string' ? (JSON.parse(value) as unknown) : value);

const CASTS: ReadonlyMap<string, Cast> = new Map([
  ['int', toWhole],
  ['int4', toWhole],
  ['integer', toWhole],
  ['smallint', toWhole],
  ['int8', toBigint],
  ['bigint', toBigint],
  ['float8', Number],
  ['float4', Number],
  ['real', Number],
  ['numeric', (value) => (typeof value === 'bigint' ? value : Number(value))],
  ['bool', toBoolean],
  ['boolean', toBoolean],
  ['uuid', uuidOf],
  ['text', textOf],
  ['varchar', textOf],
  ['char', textOf],
  ['timestamptz', toMoment],
  ['timestamp', toMoment],
  ['json', toJson],
  ['jsonb', toJson],
  ['interval', (value) => (value instanceof Interval ? value : intervalOf(textOf(value)))],
]);

/** @returns what makes a value one of a type; NULL stays NULL */
export function castTo(type: string): Cast {
  const castOne = type.endsWith('[]') ? castEach(castTo(type.slice(0, -2))) : (CASTS.get(type) ?? unknownTo(type));
  return (value) => (value === null || value === undefined ? null : castOne(value));
}

/** NULL may be of any type: that of a table's rows, for one. */
function unknownTo(type: string): Cast {
  return () => {
    throw new Error(`The simulated Postgres knows no type ${type}.`);
  };
}

function castEach(castOne: Cast): Cast {
  return (value) => arrayOf(value).map(castOne);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function uuidOf(value: unknown): string {
  const uuid = textOf(value).toLowerCase();
  if (!UUID.test(uuid)) throw sqlError('22P02', `invalid input syntax for type uuid: "${uuid}"`);
  return uuid;
}

export function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value instanceof Date) return value.toISOString();
  return typeof value === 'object' ? JSON.stringify(value) : `${value as string | number | bigint | boolean}`;
}

function arrayOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  throw new Error(`The simulated Postgres takes no ${typeof value} for an array.`);
}
