import { randomBytes } from 'node:crypto';
import { sql } from '@souk/postgres';
import { eventually, testDatabase, type TestDatabase } from '@souk/testing';
import { AttemptsStore } from './attempts.store.js';
import type { Limit } from './limits.js';

const limit: Limit = {
  scope: 'test',
  free: 3,
  firstPauseSeconds: 30,
  longestPauseSeconds: 100,
  forgetAfterSeconds: 3_600,
};

describe('counted tries', () => {
  let postgres: TestDatabase;
  let attempts: AttemptsStore;

  beforeEach(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    attempts = new AttemptsStore(postgres.database, randomBytes(32));
  });

  afterEach(() => postgres.drop());

  const of = (subject: string) => ({ limit, subject });
  const pass = (seconds: number) =>
    postgres.database.query(
      sql(
        'test.pass',
        'UPDATE attempts SET blocked_until = blocked_until - make_interval(secs => $1), last_at = last_at - make_interval(secs => $1)',
      ),
      [seconds],
    );
  const rows = () =>
    postgres.database.query<{ row: string }>(sql('test.rows', 'SELECT attempts::text AS row FROM attempts'));

  it('cost a pause after the free ones, which doubles up to the longest', async () => {
    const waits: number[] = [];
    for (let n = 0; n < 3; n++) waits.push(await attempts.count(of('a')));
    for (const pause of [30, 60, 100, 100]) {
      waits.push(await attempts.count(of('a')));
      await pass(pause);
      waits.push(await attempts.count(of('a')));
    }
    expect(waits).toEqual([0, 0, 0, 30, 0, 60, 0, 100, 0, 100, 0]);
  });

  it('get no further at once than one after the other', async () => {
    const waits = await Promise.all(Array.from({ length: 50 }, () => attempts.count(of('a'))));
    expect(waits.filter((wait) => wait === 0)).toHaveLength(limit.free);
  });

  it('do not wait for each other while they are free, whichever began first', async () => {
    await attempts.count(of('a'));
    const { database } = postgres;
    let beganFirst: Promise<number> | undefined;
    await database.transaction(async (tx) => {
      await tx.query(sql('test.lock', 'SELECT subject FROM attempts FOR UPDATE'));
      beganFirst = attempts.count(of('a'));
      const waiting = sql(
        'test.waiting',
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
      );
      await eventually(async () => expect(await database.query(waiting)).toHaveLength(1));
      // What another free try writes.
      await tx.query(sql('test.another', 'UPDATE attempts SET count = count + 1, blocked_until = clock_timestamp()'));
    });
    expect(await beganFirst).toBe(0);
  });

  it('are counted for each subject and each scope by itself', async () => {
    for (let n = 0; n < 4; n++) await attempts.count(of('a'));
    expect(await attempts.count(of('b'))).toBe(0);
    expect(await attempts.count({ limit: { ...limit, scope: 'other' }, subject: 'a' })).toBe(0);
  });

  it('begin again when they are forgotten, and after a while by themselves', async () => {
    for (let n = 0; n < 4; n++) await attempts.count(of('a'));
    await attempts.forget(of('a'));
    expect(await attempts.count(of('a'))).toBe(0);
    for (let n = 0; n < 3; n++) await attempts.count(of('a'));
    await pass(3_601);
    for (let n = 0; n < 3; n++) expect(await attempts.count(of('a'))).toBe(0);
    expect(await attempts.count(of('a'))).toBe(30);
  });

  it('give one back without forgiving the others', async () => {
    for (let n = 0; n < 3; n++) await attempts.count(of('a'));
    await attempts.takeBack(of('a'));
    expect(await attempts.count(of('a'))).toBe(0);
    expect(await attempts.count(of('a'))).toBe(30);
  });

  it('are kept without their subjects', async () => {
    await attempts.count(of('my secret password'));
    expect((await rows())[0]!.row).not.toContain('secret');
  });

  it('are bounded in number: old ones go, and of too many those that were used least recently', async () => {
    await attempts.count(of('old'));
    await pass(3 * 24 * 3_600);
    for (const subject of ['a', 'b', 'c', 'd']) await attempts.count(of(subject));
    await attempts.prune();
    expect(await rows()).toHaveLength(4);
    await attempts.prune(2);
    expect((await rows()).length).toBeLessThanOrEqual(3);
  });
});
