/**
 * A Postgres: sessions whose statements run one after the other, transactions that wait for each other's rows, and
 * what it does to those who wait or stand still for too long. It may be restarted: then every session is cut off, and
 * what was committed is still there.
 */
import type { Host } from '../host.ts';
import type { Scheduler } from '../scheduler.ts';
import { sqlError } from './errors.ts';
import type { Planner } from './planner.ts';
import type { Schema } from './schema.ts';
import { Session } from './session.ts';
import { Storage, type Row, type Transaction } from './storage.ts';
import { StatementRun } from './statement-run.ts';

export type CommitListener = (changes: Transaction['changes']) => void;

export class PostgresServer {
  readonly storage: Storage;
  readonly planner: Planner;
  readonly scheduler: Scheduler;
  isUp = true;
  onCommit: CommitListener = () => undefined;
  /** Told of what the simulation itself can't do. */
  onBug: (error: Error) => void = (error) => {
    throw error;
  };
  /** May change what is about to be committed. */
  beforeCommit: (changes: Transaction['changes'], host: Host | undefined) => void = () => undefined;
  private readonly sessions = new Set<Session>();
  private waiting: Session[] = [];

  constructor(scheduler: Scheduler, schema: Schema, planner: Planner) {
    this.scheduler = scheduler;
    this.storage = new Storage(schema);
    this.planner = planner;
    for (const seed of schema.seeds) this.execute(seed);
  }

  /** Now, in whole milliseconds: the clock that leases are measured by. */
  clock(): Date {
    return new Date(Math.floor(this.scheduler.now));
  }

  open(host: Host): Session {
    const session = new Session(this, host);
    this.sessions.add(session);
    return session;
  }

  /** Cuts off those who stand still in the middle of a transaction, so that they do not keep others waiting. */
  cutIdle(host: Host): void {
    for (const session of [...this.sessions]) {
      if (session.host === host && session.isIdleInTransaction) session.breakOff();
    }
  }

  closed(session: Session): void {
    this.sessions.delete(session);
    this.stopWaiting(session);
  }

  stopWaiting(session: Session): void {
    this.waiting = this.waiting.filter((other) => other !== session);
  }

  /** Runs a statement by itself, at once: for set-up and for looking on from outside. */
  execute(text: string, params: readonly unknown[] = []): Row[] {
    const session = new Session(this);
    return session.executeNow(text, params);
  }

  rows(table: string): Row[] {
    return this.storage.rows(table);
  }

  startRun(transaction: Transaction, params: readonly unknown[]): StatementRun {
    return new StatementRun(transaction, params, this.clock());
  }

  /** Cuts everybody off and is away until `start`. */
  stop(): void {
    this.isUp = false;
    for (const session of [...this.sessions]) session.breakOff();
  }

  start(): void {
    this.isUp = true;
  }

  /** Puts a session into the queue of those who wait; two that wait for each other are a deadlock. */
  wait(session: Session): Error | undefined {
    this.waiting.push(session);
    return this.isDeadlock(session) ? sqlError('40P01', 'deadlock detected') : undefined;
  }

  /** Lets those look again who waited for this transaction. */
  released(transaction: Transaction): void {
    const free = this.waiting.filter((session) => session.waitsFor === transaction);
    this.waiting = this.waiting.filter((session) => session.waitsFor !== transaction);
    free.forEach((session) => session.retry());
  }

  private isDeadlock(session: Session): boolean {
    let holder = session.waitsFor;
    for (let steps = 0; holder && steps <= this.waiting.length; steps += 1) {
      if (holder === session.transaction) return true;
      holder = this.waiting.find(({ transaction }) => transaction === holder)?.waitsFor;
    }
    return false;
  }
}
