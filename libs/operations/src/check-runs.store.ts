// Who runs which check, and what it found. Guarantees: one replica runs a check at a time, by a lease on the database's
// clock; a run that was overtaken because its process slept too long cannot save. Differences keep the time of their first finding.
import { sql, type Database } from '@souk/postgres';
import type { CheckResult, Finding } from './check.js';

/** The right to run a check; good until another takes over. */
export interface Lease {
  readonly name: string;
  readonly epoch: number;
}

/** The last run of a check. */
export interface CheckRunRow {
  name: string;
  /** When a run was last finished. */
  ended_at: Date | null;
  compared: bigint;
  differences: number;
  /** Why the newest run was not finished; empty where it was. */
  error: string;
}

export interface DifferenceRow {
  check_name: string;
  subject: string;
  detail: string;
  mend: string;
  first_seen_at: Date;
}

const LEASE = `interval '60 seconds'`;
const MOST = 1_000;

const ADD = sql(
  'checks.add',
  `INSERT INTO check_runs (name, due_at) SELECT name, now() + random() * $2 * interval '1 ms' FROM unnest($1::text[]) AS name
   ON CONFLICT DO NOTHING`,
);
const TAKE_DUE = sql(
  'checks.take_due',
  `UPDATE check_runs SET epoch = epoch + 1, lease_until = now() + ${LEASE}
    WHERE name = (SELECT name FROM check_runs
                   WHERE name = ANY($1) AND due_at <= now() AND (lease_until IS NULL OR lease_until <= now())
                   ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
   RETURNING name, epoch`,
);
const TAKE = sql(
  'checks.take',
  `UPDATE check_runs SET epoch = epoch + 1, lease_until = now() + ${LEASE}
    WHERE name = $1 AND (lease_until IS NULL OR lease_until <= now()) RETURNING name, epoch`,
);
const RENEW = sql(
  'checks.renew',
  `UPDATE check_runs SET lease_until = now() + ${LEASE} WHERE name = $1 AND epoch = $2`,
);
const FAIL = sql(
  'checks.fail',
  `UPDATE check_runs SET lease_until = NULL, due_at = now() + $3 * interval '1 ms', error = $4
    WHERE name = $1 AND epoch = $2`,
);
const FINISH = sql(
  'checks.finish',
  `UPDATE check_runs
      SET lease_until = NULL, due_at = now() + $3 * interval '1 ms', ended_at = now(), compared = $4, error = ''
    WHERE name = $1 AND epoch = $2 RETURNING name`,
);
const FORGET = sql('checks.forget', 'DELETE FROM differences WHERE check_name = $1 AND NOT subject = ANY($2)');
const KEEP = sql(
  'checks.keep',
  `INSERT INTO differences (check_name, subject, detail, mend)
   SELECT $1, subject, detail, mend FROM unnest($2::text[], $3::text[], $4::text[]) AS found (subject, detail, mend)
   ON CONFLICT (check_name, subject) DO UPDATE SET detail = EXCLUDED.detail, mend = EXCLUDED.mend
   RETURNING subject, first_seen_at = now() AS is_new`,
);
const RUNS = sql(
  'checks.runs',
  `SELECT name, ended_at, compared, error,
          (SELECT count(*)::int FROM differences WHERE check_name = name) AS differences
     FROM check_runs WHERE name = ANY($1) ORDER BY name`,
);
const DIFFERENCES = sql(
  'checks.differences',
  `SELECT check_name, subject, detail, mend, first_seen_at FROM differences
    WHERE check_name = ANY($1) ORDER BY check_name, subject LIMIT ${MOST}`,
);

export class CheckRunsStore {
  constructor(private readonly database: Database) {}

  /** Makes the checks known; new ones become due at some time within `everyMs`. */
  async add(names: readonly string[], everyMs: number): Promise<void> {
    await this.database.query(ADD, [names, everyMs]);
  }

  /** Takes the check that has been due longest, unless others run all of those that are. */
  async takeDue(names: readonly string[]): Promise<Lease | undefined> {
    const [lease] = await this.database.query<Lease>(TAKE_DUE, [names]);
    return lease;
  }

  /** Takes a check, due or not; undefined while another runs it. */
  async take(name: string): Promise<Lease | undefined> {
    const [lease] = await this.database.query<Lease>(TAKE, [name]);
    return lease;
  }

  async renew({ name, epoch }: Lease): Promise<void> {
    await this.database.query(RENEW, [name, epoch]);
  }

  /** Notes why a run was not finished; what the run before found stays. */
  async fail({ name, epoch }: Lease, error: string, againInMs: number): Promise<void> {
    await this.database.query(FAIL, [name, epoch, againInMs, error]);
  }

  /** Puts what was found in the place of what the run before found. @returns the findings that are new */
  async finish({ name, epoch }: Lease, result: CheckResult, againInMs: number): Promise<Finding[]> {
    const found = new Map(result.findings.slice(0, MOST).map((finding) => [finding.subject, finding]));
    const findings = [...found.values()];
    return this.database.transaction(async (tx) => {
      const finished = await tx.query(FINISH, [name, epoch, againInMs, result.compared]);
      if (finished.length === 0) return [];
      await tx.query(FORGET, [name, [...found.keys()]]);
      const kept = await tx.query<{ subject: string; is_new: boolean }>(KEEP, [
        name,
        findings.map(({ subject }) => subject),
        findings.map(({ detail }) => detail),
        findings.map(({ mend }) => mend),
      ]);
      const fresh = new Set(kept.filter((row) => row.is_new).map((row) => row.subject));
      return findings.filter(({ subject }) => fresh.has(subject));
    });
  }

  runs(names: readonly string[]): Promise<CheckRunRow[]> {
    return this.database.query<CheckRunRow>(RUNS, [names]);
  }

  /** At most 1,000. */
  differences(names: readonly string[]): Promise<DifferenceRow[]> {
    return this.database.query<DifferenceRow>(DIFFERENCES, [names]);
  }
}
