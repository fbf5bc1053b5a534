// Each service has the tables of @souk/audit in a database of its own, so their migrations stand once in each, and must not differ.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './projects.ts';

/** By what the files are called in the services: what they are called in the library that reads and writes these tables. */
const MIGRATIONS = { add_audit: '0001_create_audit', let_old_records_go: '0002_let_old_records_go' };

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

it.each(Object.entries(MIGRATIONS))('%s is the same in every service', (name, original) => {
  const copies = globSync(`apps/*/migrations/*_${name}.sql`, { cwd: ROOT });
  const services = globSync('apps/*/migrations', { cwd: ROOT });
  expect(copies).toHaveLength(services.length);
  const expected = read(`libs/audit/test/migrations/${original}.sql`);
  expect(copies.filter((path) => read(path) !== expected)).toEqual([]);
});
