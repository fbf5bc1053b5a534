/**
 * All instances of one service, for all clients of this process. A call goes to the usable instance with the least under way
 * there, in turn where they are equal. So many calls at a time and no more go to one service (a bulkhead): others wait for a
 * short while, in a queue that has an end. They wait, too, where no instance is usable, but only for the first two seconds
 * of that: the restart of an instance is bridged, and after that calls fail at once until one is usable again.
 */
import { DomainError } from '@souk/errors';
import type { ConnectionTarget } from './connection.js';
import { Instance, type InstanceState, type Visit } from './instance.js';
import { repetitionsForgone, callsRefused, countedPools, instancesEjected } from './pool-metrics.js';
import { resolverOf, type Address } from './resolver.js';
import { RetryBudget } from './retry-budget.js';

const MOST_UNDER_WAY = 500;
const MOST_WAITING = 500;
const BRIDGE_MS = 2_000;
/** A wait leaves time for the call. */
const PART_OF_DEADLINE = 0.75;

interface Waiting {
  readonly resolve: (visit: Visit) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

export interface PoolTarget extends ConnectionTarget {
  readonly address: string;
}

const OPEN = new Map<string, { readonly pool: Pool; users: number }>();

/** The pool for a target, shared in this process; `release` it when it is no longer needed. */
export function sharedPool(target: PoolTarget): { pool: Pool; release: () => void } {
  const { address, service, caller, tls } = target;
  const id = JSON.stringify([address, service, caller, tls?.caFile, tls?.certFile, tls?.keyFile]);
  const entry = OPEN.get(id) ?? { pool: new Pool(target), users: 0 };
  OPEN.set(id, entry);
  entry.users++;
  let released = false;
  const release = () => {
    if (released) return;
    released = true;
    if (--entry.users > 0) return;
    OPEN.delete(id);
    entry.pool.close();
  };
  return { pool: entry.pool, release };
}

/** What this process knows of the services that it calls. */
export function poolStates(): readonly { readonly service: string; readonly instances: Pool['states'] }[] {
  return [...OPEN.values()].map(({ pool }) => ({ service: pool.service, instances: pool.states }));
}

export class Pool {
  readonly budget = new RetryBudget();
  private readonly instances = new Map<Address, Instance>();
  private readonly queue = new Set<Waiting>();
  private readonly unwatch: () => void;
  private turn = 0;
  private unusableSince: number | undefined = performance.now();
  private closed = false;

  constructor(private readonly target: PoolTarget) {
    // First: a target that cannot be read throws.
    const watch = resolverOf(target.address);
    this.unwatch = watch((addresses) => this.update(addresses));
    countedPools.add(this);
  }

  get service(): string {
    return this.target.service;
  }

  /** What there is now, for operators. */
  get states(): readonly { readonly address: Address; readonly state: InstanceState }[] {
    return [...this.instances.values()].map(({ address, state }) => ({ address, state }));
  }

  /**
   * Enters an instance to make a call there, now or soon. Whoever has entered must leave.
   * @param avoid where the call has failed already; used only where there is no other
   * @throws DomainError SERVICE_UNAVAILABLE or SERVICE_BUSY
   */
  async acquire(leftMs: number, avoid?: ReadonlySet<Instance>): Promise<Visit> {
    const instance = this.choose(avoid);
    if (instance) return instance.enter();
    const waitMs = this.waitMs(leftMs);
    if (waitMs <= 0) return this.lastResort();
    if (this.queue.size >= MOST_WAITING) throw this.busy();
    return this.wait(waitMs);
  }

  /** Whether there is another usable instance than these. */
  hasOther(than: ReadonlySet<Instance>): boolean {
    return this.usable().some((instance) => !than.has(instance));
  }

  /** Whether an instance is usable, or may well be in a moment. */
  get maySoonServe(): boolean {
    return this.waitMs(Infinity) > 0;
  }

  close(): void {
    this.closed = true;
    this.unwatch();
    countedPools.delete(this);
    for (const { reject, timer } of this.queue) {
      clearTimeout(timer);
      reject(this.unavailable());
    }
    this.queue.clear();
    for (const instance of this.instances.values()) instance.close();
  }

  private update(addresses: readonly Address[]): void {
    if (this.closed) return;
    for (const [address, instance] of this.instances) {
      if (addresses.includes(address)) continue;
      this.instances.delete(address);
      instance.retire();
    }
    for (const address of addresses) {
      if (!this.instances.has(address)) this.instances.set(address, this.open(address));
    }
    this.changed();
  }

  private open(address: Address): Instance {
    return new Instance(address, this.target, {
      changed: () => this.changed(),
      isSpare: (instance) => this.hasOther(new Set([instance])),
      ejected: (_, cause) => instancesEjected.inc({ service: this.service, cause }),
    });
  }

  private get underWay(): number {
    let sum = 0;
    for (const instance of this.instances.values()) sum += instance.underWay;
    return sum;
  }

  private choose(avoid?: ReadonlySet<Instance>): Instance | undefined {
    if (this.closed || this.underWay >= MOST_UNDER_WAY) return undefined;
    const usable = this.usable();
    const preferred = avoid ? usable.filter((instance) => !avoid.has(instance)) : usable;
    return this.leastBusy(preferred.length > 0 ? preferred : usable);
  }

  /** Those that say that they are about to end are used where there is no other. */
  private usable(): Instance[] {
    const all = [...this.instances.values()];
    const usable = all.filter((instance) => instance.isUsable);
    return usable.length > 0 ? usable : all.filter((instance) => instance.isAlive && instance.breaker.allows);
  }

  private leastBusy(instances: readonly Instance[]): Instance | undefined {
    this.turn = (this.turn + 1) % Number.MAX_SAFE_INTEGER;
    let best: Instance | undefined;
    for (let index = 0; index < instances.length; index++) {
      const instance = instances[(index + this.turn) % instances.length];
      if (instance && (!best || instance.underWay < best.underWay)) best = instance;
    }
    return best;
  }

  private waitMs(leftMs: number): number {
    const most = leftMs * PART_OF_DEADLINE;
    if (this.closed) return 0;
    if (this.unusableSince === undefined) return Math.min(BRIDGE_MS, most);
    return Math.min(this.unusableSince + BRIDGE_MS - performance.now(), most);
  }

  private wait(waitMs: number): Promise<Visit> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.queue.delete(waiting);
        this.lastResort().then(resolve, reject);
      }, waitMs);
      const waiting: Waiting = { resolve, reject, timer };
      this.queue.add(waiting);
    });
  }

  /** A call at an instance that is not connected fails at once, and says why it is not. */
  private async lastResort(): Promise<Visit> {
    const instance = this.choose();
    if (instance) return instance.enter();
    if (this.underWay >= MOST_UNDER_WAY) throw this.busy();
    const unconnected = [...this.instances.values()].find(({ state }) => state === 'connecting');
    if (unconnected && !this.closed) return unconnected.enter();
    throw this.unavailable();
  }

  private changed(): void {
    const isUsable = this.usable().length > 0;
    if (isUsable) this.unusableSince = undefined;
    else this.unusableSince ??= performance.now();
    if (!isUsable) return;
    for (const waiting of this.queue) {
      const instance = this.choose();
      if (!instance) return;
      this.queue.delete(waiting);
      clearTimeout(waiting.timer);
      waiting.resolve(instance.enter());
    }
  }

  private busy(): DomainError {
    callsRefused.inc({ service: this.service, cause: 'busy' });
    return this.refusal('SERVICE_BUSY', `Too many calls to the ${this.service} service are under way. Try again.`);
  }

  private unavailable(): DomainError {
    callsRefused.inc({ service: this.service, cause: 'unavailable' });
    return this.refusal('SERVICE_UNAVAILABLE', `The ${this.service} service does not answer at present. Try again.`);
  }

  private refusal(reason: string, message: string): DomainError {
    const metadata = { service: this.service, retry_after: '1' };
    return new DomainError({ kind: 'unavailable', reason, message, metadata });
  }

  /** @returns whether a call may be repeated */
  spendRetry(): boolean {
    const may = this.budget.spend();
    if (!may) repetitionsForgone.inc({ service: this.service });
    return may;
  }
}
