/** One connection as the server sees it. Its requests are answered in their order. */
import type { Host } from '../host.ts';
import { connectionLost, sqlError } from './errors.ts';
import type { QueryPlan } from './queries.ts';
import type { PostgresServer } from './server.ts';
import type { StatementRun } from './statement-run.ts';
import { Blocked, RowChanged, Transaction, type Row } from './storage.ts';

export interface Answer {
  readonly command: string;
  readonly rows: Row[];
  /** `I`: in no transaction, `T`: in one, `E`: in one that has failed. */
  readonly status: TransactionStatus;
}

export type TransactionStatus = 'I' | 'T' | 'E';

export interface Request {
  readonly text: string;
  readonly params: readonly unknown[];
  readonly answer: (answer: Answer) => unknown;
  readonly fail: (error: Error, status: TransactionStatus) => unknown;
}

interface Running {
  readonly request: Request;
  readonly plan: QueryPlan & { readonly command: string };
  readonly run: StatementRun;
}

const STATEMENT_TIMEOUT_MS = 10_000;
const CONTROL = /^\s*(BEGIN|COMMIT|ROLLBACK TO SAVEPOINT|ROLLBACK|SAVEPOINT|RELEASE SAVEPOINT)\s*(\w*)\s*$/i;

export class Session {
  transaction: Transaction | undefined;
  waitsFor: Transaction | undefined;
  isBroken = false;
  /** Told when the server ends the session. */
  onBreak: () => void = () => undefined;
  readonly host: Host | undefined;
  private readonly server: PostgresServer;
  private readonly queue: (Request | 'end')[] = [];
  private running: Running | undefined;
  private isExplicit = false;
  private waits = 0;

  constructor(server: PostgresServer, host?: Host) {
    this.server = server;
    this.host = host;
  }

  receive(request: Request): void {
    if (this.isBroken) return void request.fail(connectionLost(), 'I');
    this.queue.push(request);
    this.work();
  }

  /** The client is gone: what it had asked for is still done, what it had not committed is not. */
  hangUp(): void {
    this.queue.push('end');
    this.work();
  }

  /** Ends the session from the server's side. */
  breakOff(): void {
    if (this.isBroken) return;
    this.isBroken = true;
    this.running = undefined;
    this.queue.length = 0;
    this.endTransaction(false);
    this.server.closed(this);
    this.onBreak();
  }

  get isIdleInTransaction(): boolean {
    return this.isExplicit && !this.running;
  }

  /** Goes on after the wait for a lock. */
  retry(): void {
    const { running } = this;
    this.waitsFor = undefined;
    if (running) this.server.scheduler.after(0, () => this.running === running && this.attempt(running));
  }

  executeNow(text: string, params: readonly unknown[]): Row[] {
    let rows: Row[] | undefined;
    let failure = new Error(`${text} has to wait.`);
    this.receive({ text, params, fail: (error) => (failure = error), answer: (answer) => ({ rows } = answer) });
    if (!rows) throw failure;
    return rows;
  }

  private get status(): TransactionStatus {
    if (!this.isExplicit) return 'I';
    return this.transaction?.failed ? 'E' : 'T';
  }

  private work(): void {
    while (!this.running && !this.isBroken) {
      const request = this.queue.shift();
      if (!request) return;
      if (request === 'end') return this.breakOff();
      this.begin(request);
    }
  }

  private begin(request: Request): void {
    const control = CONTROL.exec(request.text);
    if (control) return this.control(request, control[1]?.toUpperCase() ?? '', control[2] ?? '');
    if (this.transaction?.failed) {
      return void request.fail(sqlError('25P02', 'current transaction is aborted'), this.status);
    }
    try {
      this.transaction ??= new Transaction(this.server.storage, this.server.clock());
      const plan = this.server.planner.plan(request.text);
      const run = this.server.startRun(this.transaction, request.params);
      this.running = { request, plan, run };
      this.attempt(this.running);
    } catch (error) {
      this.failed(request, error);
    }
  }

  private attempt(running: Running): void {
    const { request, plan, run } = running;
    for (;;) {
      try {
        run.restart();
        const rows = plan.rows(run);
        run.finish();
        this.running = undefined;
        if (!this.isExplicit) this.endTransaction(true);
        request.answer({ command: plan.command, rows, status: this.status });
        return this.work();
      } catch (error) {
        if (error instanceof RowChanged) continue;
        if (error instanceof Blocked) return this.wait(running, error);
        return this.failed(request, error);
      }
    }
  }

  private wait(running: Running, { holder }: Blocked): void {
    this.waitsFor = holder;
    const deadlock = this.server.wait(this);
    if (deadlock) return this.failed(running.request, deadlock);
    const lockTimeoutMs = this.transaction?.lockTimeoutMs ?? Infinity;
    const wait = (this.waits += 1);
    this.server.scheduler.after(Math.min(lockTimeoutMs, STATEMENT_TIMEOUT_MS), () => {
      if (this.running !== running || this.waits !== wait || !this.waitsFor) return;
      const isLockTimeout = lockTimeoutMs < STATEMENT_TIMEOUT_MS;
      this.failed(running.request, isLockTimeout ? lockTimeout() : statementTimeout());
    });
  }

  private failed({ fail }: Request, error: unknown): void {
    this.running = undefined;
    this.waitsFor = undefined;
    this.server.stopWaiting(this);
    if (!this.isExplicit) this.endTransaction(false);
    else if (this.transaction) this.giveUp(this.transaction);
    const failure = error instanceof Error ? error : new Error(String(error));
    // Anything but an error of SQL is one of the simulation.
    if (!('severity' in failure)) this.server.onBug(failure);
    fail(failure, this.status);
    this.work();
  }

  private giveUp(transaction: Transaction): void {
    transaction.fail();
    this.server.released(transaction);
  }

  private control(request: Request, command: string, name: string): void {
    const answered = this.execute(command, name);
    if (answered instanceof Error) return void request.fail(answered, this.status);
    request.answer({ command: answered, rows: [], status: this.status });
  }

  private execute(command: string, name: string): string | Error {
    switch (command) {
      case 'BEGIN':
        this.isExplicit = true;
        this.transaction = new Transaction(this.server.storage, this.server.clock());
        return command;
      case 'COMMIT': {
        const isGood = this.transaction?.failed === false;
        this.endTransaction(isGood);
        return isGood ? command : 'ROLLBACK';
      }
      case 'ROLLBACK':
        this.endTransaction(false);
        return command;
      case 'SAVEPOINT':
        if (this.transaction?.failed) return sqlError('25P02', 'current transaction is aborted');
        this.transaction?.setSavepoint(name);
        return command;
      case 'ROLLBACK TO SAVEPOINT':
        this.transaction?.rollBackTo(name);
        if (this.transaction) this.server.released(this.transaction);
        return 'ROLLBACK';
      default:
        this.transaction?.releaseSavepoint(name);
        return 'RELEASE';
    }
  }

  private endTransaction(commits: boolean): void {
    const { transaction } = this;
    this.transaction = undefined;
    this.isExplicit = false;
    if (!transaction) return;
    if (commits && transaction.changes.size > 0) {
      this.server.beforeCommit(transaction.changes, this.host);
      this.server.onCommit(transaction.changes);
      transaction.commit();
    } else {
      transaction.end();
    }
    this.server.released(transaction);
  }
}

function lockTimeout(): Error {
  return sqlError('55P03', 'canceling statement due to lock timeout');
}

function statementTimeout(): Error {
  return sqlError('57014', 'canceling statement due to statement timeout');
}
