import { sql } from '@souk/postgres';
import { eventually } from '@souk/testing';
import { auditFixture, callBy, type AuditFixture } from '../test/audit-fixture.js';
import type { AuditTrail } from './audit-trail.js';
import { verifyChain } from './verify-chain.js';

let fixture: AuditFixture;

beforeEach(async () => {
  fixture = await auditFixture();
});
afterEach(() => fixture.close());

describe('a check of the chain', () => {
  const tampering: [string, string[], string][] = [
    ['changed', [`UPDATE audit_log SET principal_id = 'c9' WHERE seq = 3`], '3 was changed'],
    ['taken out', ['DELETE FROM audit_log WHERE seq = 3'], '3 is missing'],
    ['taken off the end', ['DELETE FROM audit_log WHERE seq = 5'], '5 is missing'],
    [
      'put in',
      [
        `INSERT INTO audit_log SELECT 6, gen_random_uuid(), call_id, time, service, action, principal_kind, principal_id, roles,
           session_id, caller, source, request_id, object_type, object_id, outcome, reason, count, hash, hash
           FROM audit_log WHERE seq = 5`,
      ],
      '6 was put in',
    ],
    [
      'moved',
      [
        'UPDATE audit_log SET seq = 99 WHERE seq = 2',
        'UPDATE audit_log SET seq = 2 WHERE seq = 3',
        'UPDATE audit_log SET seq = 3 WHERE seq = 99',
      ],
      '2 does not follow',
    ],
  ];
  it.each(tampering)('names a record that was %s by who owns the database', async (name, statements, expected) => {
    const trail = fixture.trailOf();
    for (let index = 1; index <= 5; index += 1) await trail.asked(callBy(`c${index}`), '');
    expect(await verifyChain(trail.store)).toMatchObject({ verified: 5n });
    const change = sql(`test.tamper_${name}`, statements[0] as string);
    if (name !== 'put in') await expect(fixture.postgres.database.query(change)).rejects.toThrow();
    for (const [index, text] of ['ALTER TABLE audit_log DISABLE TRIGGER ALL', ...statements].entries()) {
      await fixture.postgres.database.query(sql(`test.tamper_${name}_${index}`, text));
    }
    const { broken } = await verifyChain(trail.store);
    expect(`${broken?.seq} ${broken?.problem}`).toContain(expected);
  });

  it('finds by a published head that all of the chain was written anew', async () => {
    const trail = fixture.trailOf();
    await trail.asked(callBy('c1'), '');
    const published = await trail.store.chain();
    await fixture.postgres.database.query(sql('test.off', 'ALTER TABLE audit_log DISABLE TRIGGER ALL'));
    await fixture.postgres.database.query(sql('test.empty', 'DELETE FROM audit_log'));
    await fixture.postgres.database.query(sql('test.restart', `UPDATE audit_head SET seq = 0, hash = ''`));
    await trail.asked(callBy('c2'), '');
    expect((await verifyChain(trail.store)).broken).toBeUndefined();
    expect((await verifyChain(trail.store, published)).broken).toMatchObject({ seq: 1n });
  });
});

describe('old records', () => {
  const DAY_MS = 86_400_000;
  const daysAgo = (days: number) => new Date(Date.now() - days * DAY_MS);
  const run = (name: string, text: string) => fixture.postgres.database.query(sql(`test.${name}`, text));

  /** Of these ages in days, in this order. */
  async function keepOld(trail: AuditTrail, ages: readonly number[]): Promise<void> {
    for (const age of ages) await trail.asked({ ...callBy(`c${age}`), time: daysAgo(age) }, '');
  }

  it('are let go from the beginning on, and what is kept can be verified as before', async () => {
    const trail = fixture.trailOf();
    await keepOld(trail, [500, 450, 100, 420, 1]);
    const published = await trail.store.chain();
    await trail.store.letGo('orders', daysAgo(400));
    expect((await trail.store.after(0n, 10)).map(({ seq }) => seq)).toEqual([3n, 4n, 5n, 6n]);
    expect(await trail.store.list({ action: 'audit/LetGo' }, 10)).toMatchObject([{ seq: 6n, object_id: '2' }]);
    expect(await verifyChain(trail.store, published)).toMatchObject({ verified: 6n, head: { seq: 6n } });
    await trail.store.letGo('orders', daysAgo(400));
    await trail.store.letGo('orders', daysAgo(95));
    const whole = await verifyChain(trail.store);
    expect(whole).toMatchObject({ verified: 7n, head: { seq: 7n } });
    expect(whole.broken).toBeUndefined();
  });

  it('go by themselves', async () => {
    const trail = fixture.trailOf(100);
    await keepOld(trail, [500, 100]);
    await eventually(async () => {
      expect(await fixture.records(2)).toMatchObject([{ principal_id: 'c100' }, { action: 'audit/LetGo' }]);
    });
  });

  it('are missed where they went without a record of it', async () => {
    const trail = fixture.trailOf();
    await keepOld(trail, [500, 450, 100]);
    await run(
      'move_base',
      `UPDATE audit_head SET base_seq = 1, base_hash = (SELECT hash FROM audit_log WHERE seq = 1)`,
    );
    await run('delete_first', 'DELETE FROM audit_log WHERE seq = 1');
    expect((await verifyChain(trail.store)).broken).toMatchObject({ seq: 1n });
  });

  it.each([
    ['young ones', 'DELETE FROM audit_log WHERE seq = 2'],
    ['what is kept', 'DELETE FROM audit_log WHERE seq = 1'],
    ['all at once', 'TRUNCATE audit_log'],
    ['a change', `UPDATE audit_log SET reason = 'x' WHERE seq = 1`],
    ['the head', 'DELETE FROM audit_head'],
  ])('cannot go, nor change, otherwise: %s', async (name, text) => {
    await keepOld(fixture.trailOf(), [500, 1]);
    if (name === 'young ones') await run('base_2', 'UPDATE audit_head SET base_seq = 2');
    await expect(run(`refused_${name}`, text)).rejects.toThrow('only ever added to');
  });
});
