/**
 * One instance of a service, as this process sees it: whether it can be reached, whether it is alive, what is under way there.
 * It is asked for its health every half second. One that says nothing for a second, neither to that nor to any call, gets no
 * more calls until it does; those that may be repeated are taken back from it. Nothing is believed of a new connection before the first answer.
 */
import { CertificateFiles } from '../certificates.js';
import { Breaker } from './breaker.js';
import { Connection, type ConnectionTarget } from './connection.js';
import { checkHealth } from './health.js';
import type { Outcome } from './outcome.js';
import type { Address } from './resolver.js';

const ASK_EVERY_MS = 500;
const SILENT_AFTER_MS = 1_000;
/** Answers that came while this process itself stood still are read first. */
const READ_FIRST_MS = 50;
/** A path that was cut may stay dead on an old connection long after it was mended. */
const RECONNECT_AFTER_MS = 3_000;
const PROBE_TIMEOUT_MS = 10_000;
/** A shorter deadline that passes says little of the instance. */
const TELLING_MS = 1_000;

/** A call that is under way at an instance. */
export interface Visit {
  readonly instance: Instance;
  readonly connection: Connection;
  readonly since: number;
  /** Ends the call; only of those that may be repeated. */
  takeBack?: () => void;
  takenBack: boolean;
}

export interface InstanceEvents {
  /** It may have become usable, or is not usable any more. */
  changed(): void;
  /** Whether others can take its work. */
  isSpare(instance: Instance): boolean;
  ejected(instance: Instance, cause: 'silent' | 'failing'): void;
}

export type InstanceState = 'connecting' | 'ready' | 'silent' | 'draining' | 'failing';

export class Instance {
  readonly breaker = new Breaker();
  /** Set by whoever knows that it is about to end. */
  leaving = false;
  /** It says so itself. */
  private draining = false;
  private readonly visits = new Set<Visit>();
  private readonly certificates: CertificateFiles | undefined;
  private readonly unfollow: (() => void) | undefined;
  private readonly timer: NodeJS.Timeout;
  private present: Connection;
  /** Takes the place of the present one once it has been answered. */
  private next: Connection | undefined;
  private nextSince = 0;
  private connected = false;
  private answered = false;
  private silentSince: number | undefined;
  private heardAt = 0;
  private askedAt: number | undefined;
  private tickedAt = performance.now();
  private closed = false;

  constructor(
    readonly address: Address,
    private readonly target: ConnectionTarget,
    private readonly events: InstanceEvents,
  ) {
    this.certificates = target.tls && CertificateFiles.of(target.tls, target.caller);
    this.unfollow = this.certificates?.onChange(() => this.reconnect());
    this.present = this.connect();
    this.timer = setInterval(() => this.tick(), ASK_EVERY_MS).unref();
  }

  /** Connected, and heard of not long ago. */
  get isAlive(): boolean {
    return this.answered && this.silentSince === undefined;
  }

  get isSilent(): boolean {
    return this.silentSince !== undefined;
  }

  get isUsable(): boolean {
    return this.isAlive && !this.isLeaving && this.breaker.allows;
  }

  get isLeaving(): boolean {
    return this.leaving || this.draining;
  }

  get state(): InstanceState {
    if (this.isSilent) return 'silent';
    if (!this.answered) return 'connecting';
    if (this.isLeaving) return 'draining';
    return this.breaker.state === 'closed' ? 'ready' : 'failing';
  }

  get underWay(): number {
    return this.visits.size;
  }

  enter(): Visit {
    const visit: Visit = { instance: this, connection: this.present, since: performance.now(), takenBack: false };
    this.visits.add(visit);
    this.breaker.entered();
    visit.connection.entered();
    return visit;
  }

  /** The call has ended. */
  leave(visit: Visit, outcome: Outcome): void {
    if (!this.visits.delete(visit)) return;
    visit.connection.left();
    this.learn(visit, outcome);
    this.events.changed();
  }

  /** Takes no more calls and ends with the last of those under way. */
  retire(): void {
    this.close(() => [this.present, this.next].forEach((connection) => connection?.retire()));
  }

  close(end = () => [this.present, this.next].forEach((connection) => connection?.close())): void {
    if (this.closed) return;
    this.closed = true;
    clearInterval(this.timer);
    this.unfollow?.();
    end();
  }

  private learn({ since, takenBack }: Visit, outcome: Outcome): void {
    if (outcome === 'answered' || outcome === 'refused' || outcome === 'unfit') this.heard();
    const took = performance.now() - since;
    if (outcome === 'answered') this.breaker.succeeded();
    else if (outcome === 'unfit' && this.events.isSpare(this)) this.fail();
    else if (outcome === 'late' && took >= TELLING_MS && !takenBack) this.fail();
    else this.breaker.leftOpen();
  }

  private fail(): void {
    if (this.breaker.failed()) this.events.ejected(this, 'failing');
  }

  private connect(): Connection {
    const connection = new Connection(
      this.address,
      this.target.service,
      this.certificates?.current,
      (connected) => void this.follow(connection, connected),
    );
    return connection;
  }

  private follow(connection: Connection, connected: boolean): void {
    if (this.closed || (connection !== this.present && connection !== this.next)) return;
    if (connection === this.present) this.connected = connected;
    if (connected) return this.ask(connection);
    if (connection !== this.present || !this.answered) return;
    this.answered = false;
    this.silentSince = undefined;
    this.events.changed();
  }

  /** Makes another connection beside the present one. */
  private reconnect(): void {
    this.next?.retire();
    this.next = this.connect();
    this.nextSince = performance.now();
  }

  private ask(connection: Connection): void {
    if (connection === this.present) this.askedAt = performance.now();
    checkHealth(connection.client, PROBE_TIMEOUT_MS, (health) => {
      if (this.closed || (connection !== this.present && connection !== this.next)) return;
      if (connection === this.present) this.askedAt = undefined;
      if (health === 'silent') return;
      if (connection === this.next) this.renew(connection);
      this.draining = health === 'not serving';
      this.answered = true;
      this.heard();
      this.events.changed();
    });
  }

  private renew(connection: Connection): void {
    this.present.retire();
    this.present = connection;
    this.next = undefined;
    this.connected = true;
    this.askedAt = undefined;
  }

  private heard(): void {
    this.heardAt = performance.now();
    this.silentSince = undefined;
  }

  private tick(): void {
    const now = performance.now();
    const stoodStill = now - this.tickedAt > 2 * ASK_EVERY_MS;
    this.tickedAt = now;
    if (!this.connected) return;
    if (this.askedAt === undefined) return this.ask(this.present);
    if (!this.answered) return;
    if (stoodStill) this.askedAt = now;
    else if (this.silentForMs >= SILENT_AFTER_MS) setTimeout(() => this.judge(), READ_FIRST_MS).unref();
  }

  /** Since when an answer is due and nothing was heard. */
  private get silentForMs(): number {
    if (this.askedAt === undefined) return 0;
    // Timers are early by a part of a millisecond.
    return Math.ceil(performance.now() + 1 - Math.max(this.askedAt, this.heardAt));
  }

  private judge(): void {
    if (this.closed || this.silentForMs < SILENT_AFTER_MS) return;
    const now = performance.now();
    if (this.silentSince === undefined) return this.fallSilent();
    const tryLongEnough = !this.next || now - this.nextSince >= RECONNECT_AFTER_MS;
    if (now - this.silentSince >= RECONNECT_AFTER_MS && tryLongEnough) this.reconnect();
  }

  private fallSilent(): void {
    this.silentSince = performance.now();
    this.events.ejected(this, 'silent');
    this.events.changed();
    for (const visit of this.visits) {
      if (!visit.takeBack) continue;
      visit.takenBack = true;
      visit.takeBack();
    }
  }
}
