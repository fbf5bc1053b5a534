import { testDatabase, type TestDatabase } from '@souk/testing';
import { runOnReal, runOnSimulated, type Step } from './script-runs.ts';

const SET_UP = `
  CREATE TABLE item (
    id    integer PRIMARY KEY,
    tag   text CONSTRAINT item_tag UNIQUE,
    units integer NOT NULL CHECK (units >= 0));
  CREATE TABLE note (item_id integer NOT NULL REFERENCES item, text text NOT NULL);
  INSERT INTO item (id, tag, units) VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30);`;

const TAKE = 'UPDATE item SET units = units - 1 WHERE id = 1 RETURNING units';
const READ = 'SELECT id, tag, units FROM item ORDER BY id';

const SCRIPTS: Readonly<Record<string, readonly Step[]>> = {
  'a change waits for the one before, and builds on it': [
    'a: BEGIN',
    `a: ${TAKE}`,
    `b: ${TAKE}`,
    'a: COMMIT',
    `c: ${READ}`,
  ],
  'a change that is taken back leaves nothing': ['a: BEGIN', `a: ${TAKE}`, `b: ${TAKE}`, 'a: ROLLBACK', `c: ${READ}`],
  'a condition is asked again on the row as it has become': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'b: UPDATE item SET units = 0 WHERE units = 10 RETURNING id',
    'c: UPDATE item SET units = 0 WHERE units = 9 RETURNING id',
    'a: COMMIT',
    `c: ${READ}`,
  ],
  'a row that was deleted meanwhile is not changed': [
    'a: BEGIN',
    'a: DELETE FROM item WHERE id = 1',
    `b: ${TAKE}`,
    'a: COMMIT',
  ],
  'what is not committed is seen by its own transaction alone': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'b: SELECT units FROM item WHERE id = 1',
    'a: SELECT units FROM item WHERE id = 1',
    'a: COMMIT',
    'b: SELECT units FROM item WHERE id = 1',
  ],
  'each statement sees what was committed before it': [
    'a: BEGIN',
    `a: ${READ}`,
    `b: ${TAKE}`,
    "b: INSERT INTO item (id, tag, units) VALUES (4, 'four', 40)",
    `a: ${READ}`,
    'a: COMMIT',
  ],
  'a statement of several rows waits in the midst and then does all of them': [
    'a: BEGIN',
    'a: UPDATE item SET units = 5 WHERE id = 2',
    'b: UPDATE item SET units = units - 1 RETURNING id, units',
    'a: COMMIT',
    `c: ${READ}`,
  ],
  'FOR UPDATE waits, and gives the row as it has become': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'b: BEGIN',
    'b: SELECT units FROM item WHERE id = 1 FOR UPDATE',
    'a: COMMIT',
    `c: ${TAKE}`,
    'b: UPDATE item SET units = 100 WHERE id = 1',
    'b: COMMIT',
    `a: ${READ}`,
  ],
  'FOR UPDATE does not give a row that no longer fits': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'b: SELECT id FROM item WHERE units = 10 FOR UPDATE',
    'a: COMMIT',
  ],
  'several may share a row, and nobody changes it meanwhile': [
    'a: BEGIN',
    'a: SELECT units FROM item WHERE id = 1 FOR SHARE',
    'b: SELECT units FROM item WHERE id = 1 FOR SHARE',
    `c: ${TAKE}`,
    'a: COMMIT',
  ],
  'SKIP LOCKED leaves out what others have': [
    'a: BEGIN',
    'a: SELECT id FROM item ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED',
    'b: SELECT id FROM item ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED',
    'b: UPDATE item SET units = 0 WHERE id IN (SELECT id FROM item ORDER BY id FOR UPDATE SKIP LOCKED) RETURNING id',
    'a: COMMIT',
    'b: SELECT id FROM item ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED',
  ],
  'NOWAIT fails at once': ['a: BEGIN', `a: ${TAKE}`, 'b: SELECT id FROM item FOR UPDATE NOWAIT', 'a: ROLLBACK'],
  'a wait for a lock ends when its time is over': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'b: BEGIN',
    "b: SELECT set_config('lock_timeout', '200ms', true)",
    `b: ${TAKE}`,
    { pause: 600 },
    'b: ROLLBACK',
    'a: COMMIT',
  ],
  'a key that is being written is waited for, and then is taken': [
    'a: BEGIN',
    "a: INSERT INTO item (id, tag, units) VALUES (4, 'four', 4)",
    "b: INSERT INTO item (id, tag, units) VALUES (5, 'four', 5)",
    "c: INSERT INTO item (id, tag, units) VALUES (4, 'other', 5)",
    'a: COMMIT',
    `a: ${READ}`,
  ],
  'a key that was not written after all is free': [
    'a: BEGIN',
    "a: INSERT INTO item (id, tag, units) VALUES (4, 'four', 4)",
    "b: INSERT INTO item (id, tag, units) VALUES (5, 'four', 5)",
    'a: ROLLBACK',
    `a: ${READ}`,
  ],
  'ON CONFLICT waits before it does nothing': [
    'a: BEGIN',
    "a: INSERT INTO item (id, tag, units) VALUES (4, 'four', 4)",
    "b: INSERT INTO item (id, tag, units) VALUES (4, 'four', 5) ON CONFLICT DO NOTHING RETURNING id",
    "c: INSERT INTO item (id, tag, units) VALUES (4, 'four', 6) ON CONFLICT (id) DO NOTHING RETURNING id",
    'a: COMMIT',
    `a: ${READ}`,
  ],
  'ON CONFLICT changes the row that was there first': [
    'a: BEGIN',
    "a: INSERT INTO item (id, tag, units) VALUES (4, 'four', 4)",
    "b: INSERT INTO item AS i (id, tag, units) VALUES (4, 'four', 5) ON CONFLICT (id) DO UPDATE SET units = i.units + excluded.units RETURNING units",
    'a: COMMIT',
    "b: INSERT INTO item AS i (id, tag, units) VALUES (4, 'four', 5) ON CONFLICT (id) DO UPDATE SET units = 0 WHERE i.units > 100 RETURNING units",
    `a: ${READ}`,
  ],
  'ON CONFLICT of one key does not forgive another': [
    "a: INSERT INTO item (id, tag, units) VALUES (4, 'one', 4) ON CONFLICT (id) DO NOTHING RETURNING id",
    `a: ${READ}`,
  ],
  'a key that was given up in the same transaction is free for it': [
    'a: BEGIN',
    'a: DELETE FROM item WHERE id = 1',
    "a: INSERT INTO item (id, tag, units) VALUES (1, 'one', 1)",
    "b: INSERT INTO item (id, tag, units) VALUES (9, 'one', 9)",
    'a: COMMIT',
    `b: ${READ}`,
  ],
  'a transaction that failed does nothing more, and its commit takes it back': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'a: UPDATE item SET units = -1 WHERE id = 2',
    `a: ${READ}`,
    `b: ${TAKE}`,
    'a: COMMIT',
    `a: ${READ}`,
  ],
  'a savepoint takes back what came after it, its locks too': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'a: SAVEPOINT here',
    'a: UPDATE item SET units = 0 WHERE id = 2',
    'a: INSERT INTO item (id, units) VALUES (3, 3)',
    'a: ROLLBACK TO SAVEPOINT here',
    'b: UPDATE item SET units = 7 WHERE id = 2 RETURNING units',
    'a: COMMIT',
    `b: ${READ}`,
  ],
  'a transaction that failed keeps nobody waiting': [
    'a: BEGIN',
    `a: ${TAKE}`,
    `b: ${TAKE}`,
    'a: INSERT INTO item (id, units) VALUES (2, 2)',
    'a: ROLLBACK',
    `a: ${READ}`,
  ],
  'a savepoint that was released is forgotten': [
    'a: BEGIN',
    'a: SAVEPOINT here',
    `a: ${TAKE}`,
    'a: RELEASE SAVEPOINT here',
    'a: INSERT INTO item (id, units) VALUES (3, 3)',
    `b: ${TAKE}`,
    'a: COMMIT',
    `b: ${READ}`,
  ],
  'who waited for what a savepoint takes back goes on': [
    'a: BEGIN',
    `a: ${TAKE}`,
    'a: SAVEPOINT here',
    'a: UPDATE item SET units = 0 WHERE id = 2',
    'b: UPDATE item SET units = 7 WHERE id = 2 RETURNING units',
    'c: UPDATE item SET units = 7 WHERE id = 1 RETURNING units',
    'a: ROLLBACK TO SAVEPOINT here',
    'a: COMMIT',
    `b: ${READ}`,
  ],
  'constraints say no': [
    "a: INSERT INTO item (id, tag, units) VALUES (1, 'new', 1)",
    "a: INSERT INTO item (id, tag) VALUES (4, 'new')",
    'a: INSERT INTO item (id, units) VALUES (4, -4)',
    "a: INSERT INTO note (item_id, text) VALUES (99, 'of nothing')",
    'a: UPDATE item SET tag = NULL RETURNING id',
  ],
  'a statement of several parts sees what was there before it': [
    `a: WITH taken AS (UPDATE item SET units = units - 1 RETURNING id, units)
        INSERT INTO note (item_id, text) SELECT id, units::text FROM taken ORDER BY id RETURNING item_id, text,
        (SELECT sum(units) FROM item)::int AS before`,
    `a: ${READ}`,
  ],
  'NULL is neither equal nor different': [
    'a: UPDATE item SET tag = NULL WHERE id = 1',
    "a: SELECT id FROM item WHERE tag = 'one' OR tag <> 'one' ORDER BY id",
    "a: SELECT id FROM item WHERE NOT (tag = 'two') ORDER BY id",
    "a: SELECT id, tag IS NULL, tag IS DISTINCT FROM 'two', coalesce(tag, 'none') FROM item ORDER BY tag NULLS FIRST, id",
    "a: SELECT id FROM item WHERE tag NOT IN ('two') ORDER BY id",
    'a: SELECT count(*)::int AS rows, count(tag)::int AS tags, max(tag), sum(units)::int FROM item',
  ],
};

describe('the simulated Postgres', () => {
  const databases: TestDatabase[] = [];

  afterAll(() => Promise.all(databases.map((one) => one.drop())));

  it.each(Object.entries(SCRIPTS))('is like the real one: %s', async (_name, script) => {
    const real = await testDatabase();
    databases.push(real);
    const wanted = await runOnReal(real.url, SET_UP, script);
    expect(await runOnSimulated(SET_UP, script)).toEqual(wanted);
  });
});
