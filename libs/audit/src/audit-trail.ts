// Keeps who did what in this service. Guarantees: `asked` resolves once its record is committed; outcomes follow within moments, in
// batches that cost their callers nothing, and are tried until they are kept, as long as the process lives and 10,000 of them are
// enough; the chain's head goes to the log and to a metric, where whoever rewrites the database cannot change it.
import { randomUUID } from 'node:crypto';
import { Batcher } from '@souk/batching';
import { DomainError } from '@souk/errors';
import type { Database } from '@souk/postgres';
import type { CallOutcome, CallRecord, Recorder } from '@souk/rpc';
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import { AuditStore, type Head } from './audit.store.js';
import { actorOf, type AuditRecord } from './record.js';
import { Refusals } from './refusals.js';

export interface AuditTrailOptions {
  /** Short name of the service. */
  readonly service: string;
  readonly database: Database;
  readonly logger: Logger;
  /** How long repeated refusals are counted together (1 min). */
  readonly countMs?: number;
  /** After how many days records are let go; 0 for never (400). At least 90: the database refuses what is younger. */
  readonly keepDays?: number | undefined;
}

const COUNT_MS = 60_000;
const KEEP_DAYS = 400;
const DAY_MS = 86_400_000;
const GATHER_MS = 250;
const BATCH = 500;
const MOST_WAITING = 10_000;
const LAST_TRIES = 5;

const headSequence = metrics.gauge('audit_head_sequence');
const waitingRecords = metrics.gauge('audit_records_waiting');
const lost = metrics.counter('audit_records_lost_total');

export class AuditTrail implements Recorder {
  readonly store: AuditStore;
  private readonly refusals = new Refusals<AuditRecord>();
  private readonly asking: Batcher<AuditRecord, Head>;
  private readonly loop: WorkerLoop;
  private waiting: AuditRecord[] = [];
  private again = false;
  private lostCount = 0;
  private countedSince = Date.now();
  private published = 0n;

  constructor(private readonly options: AuditTrailOptions) {
    const { database, logger, countMs = COUNT_MS } = options;
    this.store = new AuditStore(database);
    this.asking = new Batcher(async (records) => {
      const head = await this.store.append(records);
      return records.map(() => head);
    });
    this.loop = new WorkerLoop({
      name: 'the audit record',
      round: () => this.round(),
      pollMs: Math.min(1_000, countMs),
      gatherMs: GATHER_MS,
      logger,
    });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** After the last call has ended: keeps what still waits. */
  async onModuleDestroy(): Promise<void> {
    await this.loop.stop();
    this.refusals.take().forEach((record) => this.later(record));
    for (let tries = 0; this.waiting.length > 0 && tries < LAST_TRIES;) {
      await this.keepSome().catch(() => (tries += 1));
    }
    this.lose(this.waiting.length);
    this.tellLosses();
    await this.publishHead().catch((error: unknown) => {
      this.options.logger.warn({ err: error }, "the head of the audit record's chain is not logged");
    });
  }

  async asked(call: CallRecord, reason: string): Promise<void> {
    try {
      await this.asking.add(this.recordOf(call, { outcome: 'asked', reason }));
    } catch (cause) {
      const message = 'What you ask for has to be recorded first, and that is not possible now.';
      throw new DomainError({ kind: 'unavailable', reason: 'AUDIT_UNAVAILABLE', message, cause });
    }
  }

  settled(call: CallRecord, outcome: CallOutcome): void {
    const record = this.recordOf(call, outcome);
    // What was asked has an outcome of its own, or it would look like the work of a process that died.
    if (call.isAsked || outcome.outcome === 'allowed') this.later(record);
    else this.refused(record);
  }

  /** Of records that are alike, the first within a minute is kept by itself. */
  refused(record: AuditRecord): void {
    const first = this.refusals.add(record);
    if (first) this.later(first);
  }

  /** Resolves once they are kept; a record that is there already is not kept twice. */
  async keep(records: readonly AuditRecord[]): Promise<void> {
    await this.store.append(records, true);
  }

  private later(record: AuditRecord): void {
    if (this.waiting.length >= MOST_WAITING) return this.lose(1);
    this.waiting.push(record);
    waitingRecords.set(this.waiting.length);
    this.loop.wake();
  }

  private async round(): Promise<Outcome> {
    if (Date.now() - this.countedSince >= (this.options.countMs ?? COUNT_MS)) {
      this.countedSince = Date.now();
      this.refusals.take().forEach((record) => this.later(record));
      this.tellLosses();
      await this.publishHead();
      await this.letOldOnesGo();
    }
    if (this.waiting.length === 0) return 'done';
    await this.keepSome();
    return this.waiting.length > 0 ? 'more' : 'done';
  }

  private async keepSome(): Promise<void> {
    const some = this.waiting.slice(0, BATCH);
    const { again } = this;
    // Until it is known that they are kept: a commit that broke off may have been one.
    this.again = true;
    await this.store.append(some, again);
    this.again = false;
    this.waiting.splice(0, some.length);
    waitingRecords.set(this.waiting.length);
  }

  private async publishHead(): Promise<void> {
    const head = await this.store.chain();
    if (head.seq === this.published) return;
    this.published = head.seq;
    headSequence.set(Number(head.seq));
    this.options.logger.info({ sequence: String(head.seq), hash: head.hash }, "head of the audit record's chain");
  }

  /** At most 1,000 a minute and replica, which is more than a shop without an attack writes. */
  private async letOldOnesGo(): Promise<void> {
    const { service, keepDays = KEEP_DAYS } = this.options;
    if (keepDays > 0) await this.store.letGo(service, new Date(Date.now() - keepDays * DAY_MS));
  }

  private lose(count: number): void {
    lost.inc(count);
    this.lostCount += count;
  }

  /** Not each of them by itself: whoever fills the queue would fill the log too. */
  private tellLosses(): void {
    if (this.lostCount === 0) return;
    this.options.logger.error({ count: this.lostCount }, 'records of who did what are lost');
    this.lostCount = 0;
  }

  private recordOf(call: CallRecord, outcome: { outcome: string; reason: string }): AuditRecord {
    const { principal, object, isAsked, ...rest } = call;
    const about = { objectType: object?.type ?? '', objectId: object?.id ?? '' };
    const id = isAsked && outcome.outcome !== 'asked' ? randomUUID() : call.callId;
    const { service } = this.options;
    return { ...rest, ...outcome, ...about, ...actorOf(principal, call.caller), id, service, count: 1 };
  }
}
