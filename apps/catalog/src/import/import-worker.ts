// Works through the imports that wait, one at a time. Guarantees: an import goes on where its last batch was committed,
// whichever process takes it over; a batch and the progress it makes are one transaction; on stop the batch under way is
// finished and the import given back at once. An import that fails again and again without progress is ended as FAILED.
import { randomUUID } from 'node:crypto';
import type { OutboxRelay } from '@souk/outbox';
import { isUniqueViolation, type Database } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import { SkuTaken } from '../product-writer.js';
import { FileFault } from './file-fault.js';
import { importBatch, type BatchOutcome } from './import-batch.js';
import { LeaseLost, type Claim, type ImportStore, type Progress } from './import.store.js';
import { readProductFile, type FileEntry } from './product-file.js';
import { MAX_SHOWN_REJECTIONS } from './rejections.js';

export interface ImportWorkerOptions {
  database: Database;
  imports: ImportStore;
  relay: OutboxRelay;
  currency: string;
  logger: Logger;
  /** How often it looks for imports that a dead process left behind; 2 s. */
  pollMs?: number;
}

const BATCH_PRODUCTS = 200;
const BATCH_VARIANTS = 1_000;
const RENEW_MS = 5_000;
const BATCH_TRIES = 5;
const MAX_ATTEMPTS = 10;
const RETRY_SECONDS = 5;
// Products from which on an import changes the tables so much that Postgres should know at once.
const ANALYZE_FROM = 500;

export class ImportWorker {
  private readonly owner = randomUUID();
  private readonly loop: WorkerLoop;

  constructor(private readonly options: ImportWorkerOptions) {
    const { pollMs = 2_000, logger } = options;
    this.loop = new WorkerLoop({ name: 'the import worker', round: () => this.next(), pollMs, logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Says that an import may be waiting. */
  wake(): void {
    this.loop.wake();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  private async next(): Promise<Outcome> {
    const { imports, logger } = this.options;
    const claim = await imports.claim(this.owner);
    if (!claim) {
      await imports.discardAbandoned();
      return 'done';
    }
    try {
      await this.work(claim);
    } catch (error) {
      if (error instanceof LeaseLost) return 'more';
      logger.error({ err: error, importId: claim.importId }, 'an import broke off');
      if (claim.attempts >= MAX_ATTEMPTS) await this.giveUp(claim);
      else await imports.release(claim, RETRY_SECONDS);
    }
    return 'more';
  }

  private async work(claim: Claim): Promise<void> {
    const { imports, currency, logger } = this.options;
    const run = new ImportRun(this.options, claim);
    try {
      for await (const entry of readProductFile(imports.read(claim.importId), currency)) {
        await run.take(entry);
        if (this.loop.stopping) return await imports.release({ ...claim, attempts: 0 }, 0);
      }
    } catch (error) {
      if (!(error instanceof FileFault)) throw error;
      await run.finish(error);
      return logger.info({ importId: claim.importId, line: error.line }, 'an import failed at a fault of its file');
    }
    await run.finish();
    logger.info({ importId: claim.importId, rows: run.rows }, 'an import is done');
  }

  private async giveUp(claim: Claim): Promise<void> {
    const fault = new FileFault(0, 'The import broke off again and again for a reason that is not in the file.');
    await new ImportRun(this.options, claim).finish(fault);
  }
}

/** One import from its claim to its end. */
class ImportRun {
  private batch: FileEntry[] = [];
  private batchVariants = 0;
  private renewed = performance.now();
  private progress: Progress;

  constructor(
    private readonly options: ImportWorkerOptions,
    private readonly claim: Claim,
  ) {
    this.progress = claim.progress;
  }

  get rows(): number {
    return this.progress.rows;
  }

  async take(entry: FileEntry): Promise<void> {
    if (entry.line <= this.claim.progress.appliedLine) return this.keepLease();
    this.batch.push(entry);
    this.batchVariants += entry.draft?.variants.length ?? 0;
    if (this.batch.length >= BATCH_PRODUCTS || this.batchVariants >= BATCH_VARIANTS) await this.apply();
  }

  /** Applies what is left and ends the import; with a fault, as failed. */
  async finish(fault?: FileFault): Promise<void> {
    if (!fault) this.progress = { ...this.progress, readBytes: this.claim.sizeBytes };
    await this.apply({ fault });
    const { created, updated } = this.progress;
    if (created + updated >= ANALYZE_FROM) await this.options.imports.analyze();
  }

  private async apply(end?: { fault?: FileFault }): Promise<void> {
    const entries = this.batch;
    this.progress = await this.withRetries(() => this.commit(entries, end));
    this.batch = [];
    this.batchVariants = 0;
    this.renewed = performance.now();
    this.options.relay.wake();
  }

  private commit(entries: readonly FileEntry[], end?: { fault?: FileFault }): Promise<Progress> {
    const { database, imports } = this.options;
    return database.transaction(async (tx) => {
      const outcome = await importBatch(tx, entries);
      if (end?.fault) outcome.rejections.add(end.fault.line, end.fault.reason);
      const rejected = outcome.rejections.shown
        .toSorted((a, b) => a.row - b.row)
        .slice(0, MAX_SHOWN_REJECTIONS - this.progress.shownCount);
      const progress = advance(this.progress, entries, outcome, rejected.length);
      await imports.record(tx, this.claim, progress, rejected);
      if (end) await imports.end(tx, this.claim, end.fault ? 'FAILED' : 'SUCCEEDED');
      return progress;
    });
  }

  /** Somebody else may take a slug or a SKU between our look and our write; a second look sees it. */
  private async withRetries<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        if (attempt === BATCH_TRIES || !(error instanceof SkuTaken || isUniqueViolation(error))) throw error;
      }
    }
  }

  private async keepLease(): Promise<void> {
    if (performance.now() - this.renewed < RENEW_MS) return;
    await this.options.imports.renew(this.claim);
    this.renewed = performance.now();
  }
}

function advance(before: Progress, entries: readonly FileEntry[], outcome: BatchOutcome, shown: number): Progress {
  const last = entries.at(-1);
  return {
    readBytes: Math.max(before.readBytes, last?.endByte ?? 0),
    rows: before.rows + entries.reduce((rows, entry) => rows + entry.rows, 0),
    imported: before.imported + outcome.imported,
    created: before.created + outcome.created,
    updated: before.updated + outcome.updated,
    variants: before.variants + outcome.variants,
    rejectedCount: before.rejectedCount + outcome.rejections.count,
    shownCount: before.shownCount + shown,
    appliedLine: last?.line ?? before.appliedLine,
  };
}
