// How column values become JavaScript values, for these pools alone: the parsers of the package `pg` are left as they are.
// int8 → bigint, numeric → string (exact), timestamptz → Date, date → `YYYY-MM-DD`, json and jsonb → parsed.
import pg from 'pg';

const INT8 = 20;
const INT8_ARRAY = 1016;
const DATE = 1082;

const parsers = new Map<number, (text: string) => unknown>([
  [INT8, BigInt],
  [INT8_ARRAY, parseInt8Array],
  [DATE, (text) => text],
]);

/** Type parsers for a pool, in the form that `pg` asks for. */
export const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary'): unknown =>
    (format === 'binary' ? undefined : parsers.get(oid)) ??
    pg.types.getTypeParser(oid, format)) as pg.CustomTypesConfig['getTypeParser'],
};

function parseInt8Array(text: string): (bigint | null)[] {
  const inner = text.slice(1, -1);
  return inner === '' ? [] : inner.split(',').map((item) => (item === 'NULL' ? null : BigInt(item)));
}
