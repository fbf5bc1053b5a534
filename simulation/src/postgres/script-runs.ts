/** Runs a script of several sessions, on a real Postgres or the simulated one, and tells what each step brought about. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { Host } from '../host.ts';
import { Scheduler } from '../scheduler.ts';
import { schemaOf } from './migrations.ts';
import { Planner } from './planner.ts';
import { PostgresServer } from './server.ts';

/** `a: SELECT 1` is what session a says; `pause` lets that many milliseconds pass. */
export type Step = `${'a' | 'b' | 'c'}: ${string}` | { readonly pause: number };

/** The answers that came after a step, and who still waits for one. */
export interface Happened {
  readonly answers: Readonly<Record<string, string>>;
  readonly waiting: readonly string[];
}

/** One Postgres, with the sessions of one script. */
interface Bench {
  say(session: string, sql: string): Promise<string>;
  /** Returns once everybody has an answer or waits for somebody else. */
  settle(waiting: ReadonlySet<string>): Promise<void>;
  pause(ms: number): Promise<void>;
}

export async function runOnReal(url: string, setUp: string, script: readonly Step[]): Promise<Happened[]> {
  const clients = new Map(['a', 'b', 'c', 'watch'].map((name) => [name, new pg.Client({ connectionString: url })]));
  const client = (name: string) => clients.get(name) as pg.Client & { processID: number };
  await Promise.all([...clients.values()].map((one) => one.connect()));
  const areBlocked = async (names: ReadonlySet<string>) => {
    const pids = [...names].map((name) => client(name).processID);
    const blocked =
      'SELECT coalesce(bool_and(cardinality(pg_blocking_pids(pid)) > 0), true) AS all FROM unnest($1::int[]) AS pid';
    const { rows } = await client('watch').query<{ all: boolean }>(blocked, [pids]);
    return rows[0]?.all === true;
  };
  try {
    await client('watch').query(setUp);
    return await play(script, {
      say: (name, sql) => told(client(name).query({ text: sql, rowMode: 'array' })),
      settle: async (waiting) => {
        // Twice: who has just been let go may not have answered yet.
        for (let calm = 0; calm < 2; calm = (await areBlocked(waiting)) ? calm + 1 : 0) await sleep(10);
      },
      pause: (ms) => sleep(ms),
    });
  } finally {
    await Promise.all([...clients.values()].map((one) => one.end()));
  }
}

export async function runOnSimulated(setUp: string, script: readonly Step[]): Promise<Happened[]> {
  const scheduler = new Scheduler(0);
  const schema = schemaOf([setUp]);
  const server = new PostgresServer(scheduler, schema, new Planner(schema));
  const sessions = new Map(['a', 'b', 'c'].map((name) => [name, server.open(new Host(name))]));
  const pause = async (ms: number) => {
    let isOver = false;
    scheduler.after(ms, () => (isOver = true));
    await scheduler.run(() => isOver);
  };
  return play(script, {
    say: (name, sql) => {
      const asked = new Promise<{ command: string; rows: unknown[] }>((resolve, reject) => {
        const answer = ({ command, rows }: { command: string; rows: readonly object[] }) =>
          resolve({ command, rows: rows.map((row) => Object.values(row) as unknown[]) });
        sessions.get(name)?.receive({ text: sql, params: [], answer, fail: reject });
      });
      return told(asked);
    },
    settle: () => pause(1),
    pause,
  });
}

async function play(script: readonly Step[], bench: Bench): Promise<Happened[]> {
  const waiting = new Set<string>();
  const happened: Happened[] = [];
  let answers: Record<string, string> = {};
  const say = async (session: string, sql: string) => {
    waiting.add(session);
    const answer = await bench.say(session, sql);
    waiting.delete(session);
    // An answer that comes late belongs to the step that it came after.
    answers[session] = answer;
  };
  for (const step of script) {
    answers = {};
    if (typeof step === 'string') void say(step.slice(0, 1), step.slice(3));
    await (typeof step === 'string' ? bench.settle(waiting) : bench.pause(step.pause));
    happened.push({ answers, waiting: [...waiting].sort() });
  }
  return happened;
}

async function told(asked: Promise<{ command: string; rows: unknown[] }>): Promise<string> {
  try {
    const { command, rows } = await asked;
    return `${command} ${JSON.stringify(rows, (_name, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`;
  } catch (error) {
    return `error ${String((error as { code?: unknown }).code)}`;
  }
}
