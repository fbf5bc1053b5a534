/**
 * The driver's pool of connections, as far as libs/postgres uses it. Statements are sent without waiting for the one
 * before; a connection that breaks leaves open whether what was under way was done.
 */
import type { Host } from '../host.ts';
import type { Network } from '../network.ts';
import type { Scheduler } from '../scheduler.ts';
import { connectionLost, connectionRefused } from './errors.ts';
import type { PostgresServer } from './server.ts';
import type { Answer, Request, Session, TransactionStatus } from './session.ts';

const MOST_CONNECTIONS = 8;
const CONNECT_TIMEOUT_MS = 5_000;

interface Query {
  readonly text: string;
  readonly values?: readonly unknown[];
}

export interface Wiring {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly server: PostgresServer;
  readonly host: Host;
}

export class SimulatedPool {
  ending = false;
  private readonly wiring: Wiring;
  private readonly idle: Client[] = [];
  private readonly waiting: ((client: Client) => void)[] = [];
  private open = 0;

  constructor(wiring: Wiring) {
    this.wiring = wiring;
  }

  on(): void {
    // Nothing happens to idle connections that the next query does not tell.
  }

  async connect(): Promise<Client> {
    const { scheduler, server, host, network } = this.wiring;
    for (let client = this.idle.pop(); client; client = this.idle.pop()) if (!client.isBroken) return client;
    if (this.open >= MOST_CONNECTIONS) return this.whenFree();
    this.open += 1;
    await scheduler.sleep(network.delay(), host);
    if (server.isUp) return new Client(this.wiring, (used) => this.takeBack(used));
    this.open -= 1;
    throw connectionRefused();
  }

  async end(): Promise<void> {
    this.ending = true;
  }

  private whenFree(): Promise<Client> {
    const { scheduler, host } = this.wiring;
    return new Promise((resolve, reject) => {
      const timer = scheduler.after(
        CONNECT_TIMEOUT_MS,
        () => {
          this.waiting.splice(this.waiting.indexOf(take), 1);
          reject(new Error('timeout exceeded when trying to connect'));
        },
        host,
      );
      const take = (client: Client) => {
        timer.cancel();
        resolve(client);
      };
      this.waiting.push(take);
    });
  }

  private takeBack(client: Client): void {
    if (client.isBroken) {
      this.open -= 1;
      const next = this.waiting.shift();
      if (next) void this.connect().then(next, () => undefined);
      return;
    }
    const next = this.waiting.shift();
    if (next) next(client);
    else this.idle.push(client);
  }
}

/** One connection as its user sees it. */
export class Client {
  isBroken = false;
  private readonly wiring: Wiring;
  private readonly session: Session;
  private readonly takeBack: (client: Client) => void;
  private readonly pending = new Set<(error: Error) => void>();
  private status: TransactionStatus = 'I';
  private lastArrival = 0;
  private lastAnswer = 0;
  /** A BEGIN does not wait for its answer: what is sent in the same step arrives together with it. */
  private sentWithBegin: Parcel | undefined;
  private answered: Parcel | undefined;

  constructor(wiring: Wiring, takeBack: (client: Client) => void) {
    this.wiring = wiring;
    this.takeBack = takeBack;
    this.session = wiring.server.open(wiring.host);
    this.session.onBreak = () => this.lose();
    wiring.host.atDeath(() => this.die());
  }

  on(): void {
    // Trouble is told by the query that meets it.
  }

  getTransactionStatus(): TransactionStatus {
    return this.status;
  }

  release(isBroken: boolean): void {
    if (isBroken && !this.isBroken) {
      this.isBroken = true;
      this.hangUp();
    }
    this.takeBack(this);
  }

  /** The process has had enough of this connection: what it had asked for is still done. */
  private hangUp(): void {
    this.session.onBreak = noOne;
    this.arrive(() => this.session.hangUp());
  }

  /** What a process that dies has sent may arrive or not. */
  private die(): void {
    if (this.wiring.network.fate() === 'arrives') return this.hangUp();
    this.session.onBreak = noOne;
    this.session.breakOff();
  }

  query(query: string | Query): Promise<Answer> {
    const { text, values = [] } = typeof query === 'string' ? { text: query } : query;
    return new Promise((resolve, reject) => {
      if (this.isBroken) return reject(connectionLost());
      this.pending.add(reject);
      this.send(this.request(text, values, resolve, reject));
    });
  }

  private send(request: Request): void {
    const cut = this.wiring.network.cuts();
    if (cut === 'before') return this.arrive(() => this.session.breakOff());
    if (cut === undefined) {
      return request.text === 'BEGIN' ? this.begin(request) : this.arrive(() => this.session.receive(request));
    }
    this.arrive(() => {
      this.session.receive({ ...request, answer: noOne, fail: noOne });
      this.session.breakOff();
    });
  }

  private request(
    text: string,
    params: readonly unknown[],
    resolve: (answer: Answer) => void,
    reject: (error: Error) => void,
  ): Request {
    const settle = (status: TransactionStatus, finish: () => void) =>
      this.answer(() => {
        if (!this.pending.delete(reject)) return;
        this.status = status;
        finish();
      });
    return {
      text,
      params,
      answer: (answer) => settle(answer.status, () => resolve(answer)),
      fail: (error, status) => settle(status, () => reject(error)),
    };
  }

  /** The server ended the session: whoever waits for an answer is told, after what was answered before. */
  private lose(): void {
    this.answer(() => {
      this.isBroken = true;
      this.status = 'I';
      for (const reject of this.pending) reject(connectionLost());
      this.pending.clear();
    });
  }

  private begin(request: Request): void {
    const parcel = this.parcel(() => this.session.receive(request));
    this.arrive(() => open(parcel));
    this.sentWithBegin = parcel;
  }

  private arrive(work: () => void): void {
    const { scheduler, network } = this.wiring;
    const { sentWithBegin } = this;
    this.sentWithBegin = undefined;
    if (sentWithBegin?.step === scheduler.events) return void sentWithBegin.contents.push(work);
    this.lastArrival = Math.max(this.lastArrival, scheduler.now + network.delay());
    scheduler.after(this.lastArrival - scheduler.now, work);
  }

  /** What is answered in one step arrives together. */
  private answer(work: () => void): void {
    const { scheduler, network, host } = this.wiring;
    if (this.answered?.step === scheduler.events) return void this.answered.contents.push(work);
    const parcel = this.parcel(work);
    this.answered = parcel;
    this.lastAnswer = Math.max(this.lastAnswer, scheduler.now + network.delay());
    scheduler.after(this.lastAnswer - scheduler.now, () => open(parcel), host);
  }

  private parcel(work: () => void): Parcel {
    return { step: this.wiring.scheduler.events, contents: [work] };
  }
}

/** What crosses the network in one go. */
interface Parcel {
  /** When it was packed, in steps of the scheduler. */
  readonly step: number;
  readonly contents: (() => void)[];
}

function open({ contents }: Parcel): void {
  contents.forEach((work) => work());
}

function noOne(): void {
  // Nobody listens any more.
}
