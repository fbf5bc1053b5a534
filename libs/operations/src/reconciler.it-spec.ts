import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '@souk/postgres';
import { createLogger, metrics, type Logger } from '@souk/telemetry';
import { eventually, testDatabase, type TestDatabase } from '@souk/testing';
import type { Check, CheckResult } from './check.js';
import { Reconciler } from './reconciler.js';

const OVERTAKE = sql('test.overtake', 'UPDATE check_runs SET epoch = epoch + 1, lease_until = NULL');
const HOLD = sql('test.hold', `UPDATE check_runs SET lease_until = now() + interval '1 second', epoch = epoch + 1`);
const OPEN_LEASES = sql('test.leases', 'SELECT count(*)::int AS leases FROM check_runs WHERE lease_until IS NOT NULL');
const mend = 'npm run ops -- orders resume o1';

let postgres: TestDatabase;
let logged: string[];
const reconcilers: Reconciler[] = [];

beforeEach(async () => {
  logged = [];
  postgres = await testDatabase({ migrations: 'libs/operations/test/migrations' });
});
afterEach(async () => {
  await Promise.all(reconcilers.splice(0).map((reconciler) => reconciler.onModuleDestroy()));
  await postgres.drop();
});

function reconcilerOf(checks: Check[], everyMs?: number): Reconciler {
  const logger = Object.create(createLogger('test'), {
    warn: { value: (details: { subject?: string }, text: string) => logged.push(`${details.subject ?? ''} ${text}`) },
  }) as Logger;
  const reconciler = new Reconciler({ database: postgres.database, logger, checks, everyMs });
  reconcilers.push(reconciler);
  return reconciler;
}

/** A check that finds these subjects, or what the function says. */
function checkOf(name: string, ...subjects: string[]): Check & { subjects: string[]; runs: number } {
  const check = {
    name,
    subjects,
    runs: 0,
    run: async (): Promise<CheckResult> => {
      check.runs += 1;
      const findings = check.subjects.map((subject) => ({ subject, detail: `${subject} is stuck.`, mend }));
      return { compared: 10, findings };
    },
  };
  return check;
}

const failing = (name: string): Check => ({ name, run: () => Promise.reject(new Error('orders\nis away')) });

describe('a run by command', () => {
  it('tells what was found, with the command that mends it', async () => {
    const { runs, differences } = await reconcilerOf([checkOf('sagas', 'o1'), checkOf('holds')]).runNow();
    expect(runs).toEqual([
      { name: 'holds', ended_at: expect.any(Date), compared: 10n, differences: 0, error: '' },
      { name: 'sagas', ended_at: expect.any(Date), compared: 10n, differences: 1, error: '' },
    ]);
    expect(differences).toEqual([
      { check_name: 'sagas', subject: 'o1', detail: 'o1 is stuck.', mend, first_seen_at: expect.any(Date) },
    ]);
  });

  it('runs the checks that are named, and refuses a name that is none', async () => {
    const [sagas, holds] = [checkOf('sagas'), checkOf('holds')];
    const { runs } = await reconcilerOf([sagas, holds]).runNow(['holds']);
    expect([runs.map(({ name }) => name), sagas.runs, holds.runs]).toEqual([['holds'], 0, 1]);
    await expect(reconcilerOf([sagas]).runNow(['sagas', 'nonsense'])).rejects.toMatchObject({
      kind: 'invalid',
      violations: [{ field: 'checks', description: expect.stringContaining('nonsense') }],
    });
  });

  it('puts what it found in the place of what was found before, and keeps since when', async () => {
    const sagas = checkOf('sagas', 'o1', 'o2');
    const reconciler = reconcilerOf([sagas]);
    const before = await reconciler.runNow();
    sagas.subjects = ['o2', 'o3', 'o3'];
    const after = await reconciler.runNow();
    expect(after.differences.map(({ subject }) => subject)).toEqual(['o2', 'o3']);
    expect(after.differences[0]?.first_seen_at).toEqual(before.differences[1]?.first_seen_at);
    sagas.subjects = [];
    expect((await reconciler.runNow()).differences).toEqual([]);
  });

  it('logs each difference once', async () => {
    const sagas = checkOf('sagas', 'o1');
    const reconciler = reconcilerOf([sagas]);
    await reconciler.runNow();
    sagas.subjects = ['o1', 'o2'];
    await reconciler.runNow();
    expect(logged).toEqual(['o1 a difference: o1 is stuck.', 'o2 a difference: o2 is stuck.']);
  });

  it('keeps what was found before where a check fails, says why, and runs the others', async () => {
    const sagas = checkOf('sagas', 'o1');
    await reconcilerOf([sagas]).runNow();
    const { runs, differences } = await reconcilerOf([failing('sagas'), checkOf('zeal')]).runNow();
    expect(runs.map(({ name, error, differences: found }) => [name, error, found])).toEqual([
      ['sagas', 'orders is away', 1],
      ['zeal', '', 0],
    ]);
    expect(differences).toHaveLength(1);
  });

  it('keeps at most a thousand differences of a check', async () => {
    const sagas = checkOf('sagas', ...Array.from({ length: 1_200 }, (_, index) => `o${index}`));
    const { runs, differences } = await reconcilerOf([sagas]).runNow();
    expect([runs[0]?.differences, differences.length]).toEqual([1_000, 1_000]);
  });

  it('waits for a run that is under way elsewhere, and then runs the check once more', async () => {
    const sagas = checkOf('sagas');
    const reconciler = reconcilerOf([sagas]);
    await reconciler.runNow();
    await postgres.database.query(HOLD);
    const startedAt = performance.now();
    await reconciler.runNow();
    expect(performance.now() - startedAt).toBeGreaterThan(800);
    expect(sagas.runs).toBe(2);
  });
});

describe('the schedule', () => {
  it('runs each check again and again, on one replica at a time', async () => {
    let [running, most, runs] = [0, 0, 0];
    const slow: Check = {
      name: 'slow',
      run: async () => {
        most = Math.max(most, ++running);
        await sleep(30);
        [running, runs] = [running - 1, runs + 1];
        return { compared: 1, findings: [] };
      },
    };
    [1, 2, 3].forEach(() => reconcilerOf([slow], 50).onApplicationBootstrap());
    await eventually(() => expect(runs).toBeGreaterThanOrEqual(5));
    expect(most).toBe(1);
  });

  it('tells in the metrics what was found, and when', async () => {
    reconcilerOf([checkOf('sagas', 'o1', 'o2'), failing('broken')], 50).onApplicationBootstrap();
    // The registry is the process's, and keeps what the tests before this one have told.
    const told = async (name: 'reconciliation_differences' | 'reconciliation_last_success_timestamp_seconds') => {
      const { values } = await metrics.gauge(name).get();
      return new Map(values.map(({ labels, value }) => [labels['check'], value]));
    };
    await eventually(async () => expect((await told('reconciliation_differences')).get('sagas')).toBe(2));
    expect((await told('reconciliation_differences')).has('broken')).toBe(false);
    const last = await told('reconciliation_last_success_timestamp_seconds');
    expect(last.has('broken')).toBe(false);
    expect(Math.abs((last.get('sagas') ?? 0) - Date.now() / 1_000)).toBeLessThan(60);
  });

  it('does not let a run save that another has overtaken while its process slept (F20)', async () => {
    const begun = Promise.withResolvers<void>();
    const wake = Promise.withResolvers<void>();
    const sleepy: Check = {
      name: 'sagas',
      run: async () => {
        begun.resolve();
        await wake.promise;
        return { compared: 99, findings: [{ subject: 'old', detail: 'Was so an hour ago.', mend }] };
      },
    };
    const sleeping = reconcilerOf([sleepy]).runNow();
    await begun.promise;
    await postgres.database.query(OVERTAKE);
    const { differences } = await reconcilerOf([checkOf('sagas', 'new')]).runNow();
    wake.resolve();
    await sleeping;
    expect(differences.map(({ subject }) => subject)).toEqual(['new']);
    expect((await reconcilerOf([checkOf('sagas')]).report()).differences).toEqual(differences);
    expect(await postgres.database.query(OPEN_LEASES)).toEqual([{ leases: 0 }]);
  });
});
