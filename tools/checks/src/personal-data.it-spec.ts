import { globSync } from 'node:fs';
import { sql } from '@souk/postgres';
import { testDatabase } from '@souk/testing';
import { classificationProblems, classified, publishedFields, readPage, type Names } from './personal-data.ts';
import { ROOT } from './projects.ts';

const COLUMNS = sql(
  'test.columns',
  `SELECT t.table_name::text AS name, array_agg(c.column_name::text ORDER BY c.ordinal_position) AS columns
     FROM information_schema.tables AS t JOIN information_schema.columns AS c USING (table_schema, table_name)
    WHERE t.table_schema = 'public' AND t.table_type = 'BASE TABLE' AND t.table_name <> 'migrations' GROUP BY 1 ORDER BY 1`,
);

const services = globSync('apps/*/migrations', { cwd: ROOT }).map((path) => path.split('/')[1] ?? '');

async function columnsOf(service: string): Promise<Names> {
  const postgres = await testDatabase({ migrations: `apps/${service}/migrations` });
  try {
    const rows = await postgres.database.query<{ name: string; columns: string[] }>(COLUMNS);
    return new Map(rows.map(({ name, columns }) => [name, columns]));
  } finally {
    await postgres.drop();
  }
}

it.each(services)(
  'every column of %s is said to be about a person or not (I19)',
  async (service) => {
    const columns = await columnsOf(service);
    expect(columns.size).toBeGreaterThan(3);
    expect(classificationProblems(service, columns, classified(readPage(ROOT), service))).toEqual([]);
  },
  60_000,
);

it('every field that is published is said to be about a person or not (I19)', async () => {
  const fields = await publishedFields();
  expect(fields.get('souk.orders.v1.Order')).toContain('email');
  expect(classificationProblems('Events', fields, classified(readPage(ROOT), 'Events'))).toEqual([]);
}, 60_000);

it('finds what nobody has decided about, what is gone, and what is told twice', () => {
  const page = classified('\n## orders\n| `orders` | `email` | `number`, `gone`, `number` |\n', 'orders');
  expect(classificationProblems('orders', new Map([['orders', ['email', 'number', 'new']]]), page)).toEqual([
    'orders: orders.new is said neither to be about a person nor not',
    'orders: orders.gone is on the page and nowhere else',
    'orders: orders.number is on the page twice',
  ]);
});
