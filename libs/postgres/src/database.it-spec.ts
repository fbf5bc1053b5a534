import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import pg from 'pg';
import { isUniqueViolation } from './database-errors.js';
import { CommitThenThrow, Database } from './database.js';
import { migrate } from './migrate.js';
import { sql } from './statement.js';
import { waitForDatabase } from './wait-for-database.js';

const serverUrl = process.env['SOUK_TEST_POSTGRES_URL'] ?? '';
const name = `t_${randomBytes(8).toString('hex')}`;
const url = Object.assign(new URL(serverUrl || 'postgres://x'), { pathname: `/${name}` }).href;
const quiet = { info: () => undefined, warn: () => undefined };

const INSERT = sql('test.insert', 'INSERT INTO item (id, note) VALUES ($1, $2) RETURNING id');
const SELECT = sql('test.select', 'SELECT id, note FROM item ORDER BY id');
const TOUCH = sql('test.touch', 'UPDATE item SET note = $2 WHERE id = $1');
const REPEATABLE_READ = sql('test.repeatable_read', 'SET TRANSACTION ISOLATION LEVEL REPEATABLE READ');
const KILL = sql('test.kill', `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1`);
const KILL_ME = sql('test.kill_me', 'SELECT pg_terminate_backend(pg_backend_pid())');

let admin: pg.Client;
let database: Database;

beforeAll(async () => {
  admin = new pg.Client({ connectionString: serverUrl });
  await admin.connect();
  await admin.query(`CREATE DATABASE ${name}`);
  database = Database.connect({ url, name: 'postgres-spec', poolSize: 4, statementTimeoutMs: 2_500 });
  await database.query(sql('test.create', 'CREATE TABLE item (id bigint PRIMARY KEY, note text)'));
});

afterAll(async () => {
  await database.close();
  await admin.query(`DROP DATABASE ${name} WITH (FORCE)`);
  await admin.end();
});

beforeEach(() => database.query(sql('test.truncate', 'TRUNCATE item')));

describe('values', () => {
  it('of texts without a form in the database are the fault of whoever sent them', async () => {
    const refused = { kind: 'invalid', reason: 'INVALID_ARGUMENT' };
    await expect(database.query(INSERT, [1n, 'nul\0byte'])).rejects.toMatchObject(refused);
    const within = database.transaction((tx) => tx.query(INSERT, [1n, 'nul\0byte']));
    await expect(within).rejects.toMatchObject(refused);
    expect(await database.query(INSERT, [1n, 'a whole text'])).toHaveLength(1);
  });

  it('come back as the types that they are', async () => {
    const statement = sql(
      'test.types',
      `SELECT 9007199254740993::int8 AS big, ARRAY[1, NULL, 3]::int8[] AS bigs, '{}'::int8[] AS none, 7::int4 AS small,
              1.10::numeric AS exact, '2026-01-02T03:04:05Z'::timestamptz AS instant, '2026-01-02'::date AS day,
              '{"a": [1]}'::jsonb AS json, $1::int8 AS given, $2::int8[] AS many, $3::text[] AS texts`,
    );
    const [row] = await database.query(statement, [12n, [1n, 2n], ['a,"b', null]]);
    expect(row).toEqual({
      big: 9007199254740993n,
      bigs: [1n, null, 3n],
      none: [],
      small: 7,
      exact: '1.10',
      instant: new Date('2026-01-02T03:04:05Z'),
      day: '2026-01-02',
      json: { a: [1] },
      given: 12n,
      many: [1n, 2n],
      texts: ['a,"b', null],
    });
  });

  it('are parsed as before by pools that are not ours', async () => {
    const { rows } = await admin.query<{ big: string }>('SELECT 1::int8 AS big');
    expect(rows).toEqual([{ big: '1' }]);
  });
});

describe('a transaction', () => {
  it('commits all of its work', async () => {
    const answer = await database.transaction(async (tx) => {
      await tx.query(INSERT, [1, 'a']);
      await Promise.all([tx.query(INSERT, [2, 'b']), tx.query(INSERT, [3, 'c'])]);
      return 'done';
    });
    expect(answer).toBe('done');
    expect((await database.query<{ id: bigint }>(SELECT)).map(({ id }) => id)).toEqual([1n, 2n, 3n]);
  });

  it('leaves nothing behind when its work throws', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query(INSERT, [1, 'a']);
      throw new Error('changed my mind');
    });
    await expect(work).rejects.toThrow('changed my mind');
    expect(await database.query(SELECT)).toEqual([]);
  });

  it('keeps its writes and throws all the same when it is asked to', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query(INSERT, [1, 'a']);
      throw new CommitThenThrow(new Error('refused'));
    });
    await expect(work).rejects.toThrow('refused');
    expect(await database.query(SELECT)).toEqual([{ id: 1n, note: 'a' }]);
  });

  it('does not pass for committed when a statement failed and the work went on', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query(INSERT, [1, 'a']);
      await tx.query(INSERT, [1, 'again']).catch(() => undefined);
    });
    await expect(work).rejects.toThrow('rolled back');
    expect(await database.query(SELECT)).toEqual([]);
  });

  it('is of no use after its end', async () => {
    const tx = await database.transaction(async (open) => open);
    await expect(tx.query(SELECT)).rejects.toThrow('ended');
  });

  it('is repeated after a deadlock, so that both sides get through (F69)', async () => {
    await database.query(INSERT, [1, '']);
    await database.query(INSERT, [2, '']);
    let waiting = 0;
    let release: () => void = () => undefined;
    const bothHoldOne = new Promise<void>((resolve) => (release = resolve));
    const cross = (first: number, second: number) =>
      database.transaction(async (tx) => {
        await tx.query(TOUCH, [first, 'x']);
        if (++waiting === 2) {
          release();
        }
        await bothHoldOne;
        await tx.query(TOUCH, [second, 'x']);
      });
    await Promise.all([cross(1, 2), cross(2, 1)]);
    expect(waiting).toBeGreaterThanOrEqual(3);
  });

  it('is repeated when Postgres can not bring it into an order with another one (F69)', async () => {
    await database.query(INSERT, [1, 'a']);
    let runs = 0;
    await database.transaction(async (tx) => {
      runs += 1;
      await tx.query(REPEATABLE_READ);
      const [seen] = await tx.query<{ note: string }>(SELECT);
      if (runs === 1) await database.query(TOUCH, [1, 'b']);
      await tx.query(TOUCH, [1, `${seen?.note} and c`]);
    });
    expect(runs).toBe(2);
    expect(await database.query(SELECT)).toEqual([{ id: 1n, note: 'b and c' }]);
  });

  it('tells a unique violation, and by which constraint', async () => {
    await database.query(INSERT, [1, 'a']);
    const error: unknown = await database.query(INSERT, [1, 'b']).catch((caught: unknown) => caught);
    expect(isUniqueViolation(error)).toBe(true);
    expect(isUniqueViolation(error, 'item_pkey')).toBe(true);
    expect(isUniqueViolation(error, 'other')).toBe(false);
  });

  it('keeps its connection after an error of the statement', async () => {
    const pid = sql('test.pid', 'SELECT pg_backend_pid() AS pid');
    const lone = Database.connect({ url, name: 'lone', poolSize: 1 });
    const before = await lone.query(pid);
    await lone.query(sql('test.wrong', 'SELECT 1 / 0')).catch(() => undefined);
    expect(await lone.query(pid)).toEqual(before);
    await lone.close();
  });
});

describe('trouble', () => {
  it('surfaces as DATABASE_UNAVAILABLE when the connection breaks, and the next call works', async () => {
    await expect(database.query(KILL_ME)).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'DATABASE_UNAVAILABLE',
    });
    expect(await database.query(SELECT)).toEqual([]);
  });

  it('makes the outcome of a transaction unknown, not silent, when the connection breaks on the way', async () => {
    const work = database.transaction(async (tx) => {
      await tx.query(INSERT, [1, 'a']);
      await admin.query(KILL.text, ['postgres-spec']);
    });
    await expect(work).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    expect(await database.query(SELECT)).toEqual([]);
  });

  it('survives idle connections being closed by the server', async () => {
    await Promise.all([1, 2, 3].map(() => database.query(SELECT)));
    await admin.query(KILL.text, ['postgres-spec']);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await database.query(SELECT)).toEqual([]);
  });

  it('surfaces as DATABASE_TIMEOUT when a statement takes too long', async () => {
    await expect(database.query(sql('test.sleep', 'SELECT pg_sleep(6)'))).rejects.toMatchObject({
      kind: 'unavailable',
      reason: 'DATABASE_TIMEOUT',
    });
  });

  it('is none where many share few connections, and said soon where none gets free (F67)', async () => {
    const small = Database.connect({ url, name: 'small', poolSize: 2 });
    const add = (id: number) => small.transaction((tx) => tx.query(INSERT, [id, '']));
    await Promise.all(Array.from({ length: 200 }, (_, id) => add(id)));
    expect(await database.query(SELECT)).toHaveLength(200);

    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const holders = [1, 2].map(() => small.transaction(() => held));
    await expect(add(201)).rejects.toMatchObject({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE' });
    release();
    await Promise.all(holders);
    await add(202);
    expect(await database.query(SELECT)).toHaveLength(201);
    await small.close();
  });

  it('surfaces as DATABASE_UNAVAILABLE where no server listens', async () => {
    const nowhere = Database.connect({ url: 'postgres://souk@127.0.0.1:1/none', name: 'nowhere' });
    await expect(nowhere.query(SELECT)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
    await nowhere.close();
  });

  it('is not waited for where waiting does not help', async () => {
    const missing = Database.connect({ url: `${url}_missing`, name: 'missing' });
    await expect(waitForDatabase(missing, quiet)).rejects.toThrow('does not exist');
    await missing.close();
    await expect(waitForDatabase(database, quiet)).resolves.toBeUndefined();
  });
});

describe('migrate', () => {
  let dir: string;
  const file = (fileName: string, text: string) => writeFileSync(path.join(dir, fileName), text);

  beforeAll(() => {
    dir = mkdtempSync(path.join(tmpdir(), 'souk-migrations-'));
    file('0001_create_a.sql', '-- Up Migration\nCREATE TABLE a (id int);\n-- Down Migration\nDROP TABLE a;\n');
    file('0002_fill_a.sql', '-- Up Migration\nINSERT INTO a VALUES (1);\n');
  });
  afterAll(() => rmSync(dir, { recursive: true }));

  it('applies what is missing, once, also when two run at the same time', async () => {
    const [one, two] = await Promise.all([migrate({ url, dir }), migrate({ url, dir })]);
    expect([...one, ...two].sort()).toEqual(['0001_create_a', '0002_fill_a']);
    expect(await migrate({ url, dir })).toEqual([]);
    expect(await database.query(sql('test.a', 'SELECT id FROM a'))).toEqual([{ id: 1 }]);
  });

  it('applies all that is missing or nothing', async () => {
    file('0003_good.sql', '-- Up Migration\nCREATE TABLE b (id int);\n');
    file('0004_bad.sql', '-- Up Migration\nCREATE TABLE nonsense (;\n');
    await expect(migrate({ url, dir })).rejects.toThrow('syntax error');
    expect(await database.query(sql('test.b', `SELECT to_regclass('b') AS b`))).toEqual([{ b: null }]);
  });
});
