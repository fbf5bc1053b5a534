// Moves the outbox to NATS. Guarantees: every committed event is published at least once, whatever dies in between, and in
// order per aggregate; one relay per database works at a time, others stand by. It is woken in this process after a commit and looks
// by itself every second for what a dead process left behind. Does not guarantee that an event is published only once: see the inbox.
import { ensureStream, type EventBus } from '@souk/events';
import type { Database, Transaction } from '@souk/postgres';
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import { auditOutbox, type Audit } from './audit.js';
import {
  becomeRelay,
  countUnsent,
  markSent,
  oldestUnsentAge,
  pruneSent,
  selectUnsent,
  type Sent,
} from './outbox-rows.js';
import { publishAll } from './publish.js';
import { rebuildStream, type Rebuilt } from './rebuild-stream.js';

/** What a relay needs. */
export interface OutboxRelayOptions {
  database: Database;
  bus: EventBus;
  /** The publishing service, for example `orders`. */
  source: string;
  logger: Logger;
  /** Most events of one round (500). */
  batch?: number;
  /** How often it looks without being woken (1 s). */
  pollMs?: number;
  /** How long it waits after a wake, so that one round serves many commits (5 ms). */
  gatherMs?: number;
}

type Round = 'empty' | 'more' | 'elsewhere';

const KEEP_SENT_MS = 7 * 24 * 60 * 60 * 1000;
const PRUNE_EVERY_MS = 10 * 60 * 1000;
const PRUNE_BATCH = 1_000;
const LONGEST_PAUSE_MS = 10_000;
const STANDBY_MS = 100;
const COUNT_EVERY_MS = 5_000;
const MOST_COUNTED = 100_000;

const published = metrics.counter('outbox_published_total');
const losses = metrics.counter('outbox_stream_losses_total');
const lag = metrics.gauge('outbox_oldest_unsent_seconds');
const unsent = metrics.gauge('outbox_unsent');

/** Publishes what `appendToOutbox` wrote. */
export class OutboxRelay {
  private readonly options: Required<OutboxRelayOptions>;
  private readonly loop: WorkerLoop;
  private streamReady = false;
  private newestPlace = 0;
  private nextCount = 0;
  private nextPrune = Date.now() + PRUNE_EVERY_MS;

  constructor(options: OutboxRelayOptions) {
    this.options = { batch: 500, pollMs: 1_000, gatherMs: 5, ...options };
    const { pollMs, gatherMs, logger } = this.options;
    const round = (woken: boolean) => this.turn(woken);
    this.loop = new WorkerLoop({ name: 'the outbox relay', round, retryMs, pollMs, gatherMs, logger });
  }

  /** Starts relaying; a second call changes nothing. */
  start(): void {
    this.loop.start();
  }

  /** Says that there is something to publish. Cheap: any number of wakes during a round gives one further round. */
  wake(): void {
    this.loop.wake();
  }

  /** Finishes the round that is under way. */
  stop(): Promise<void> {
    return this.loop.stop();
  }

  /** Publishes what the stream lacks of the events that were written since `from`, or of all that are kept. */
  rebuild(from?: Date): Promise<Rebuilt> {
    return rebuildStream(this.options, from);
  }

  /** Compares a part of the outbox with the stream. */
  audit(): Promise<Audit> {
    return auditOutbox(this.options);
  }

  private async turn(woken: boolean): Promise<Outcome> {
    await this.countUnsent();
    const outcome = woken || (await this.measureLag()) ? await this.drain() : 'done';
    await this.prune();
    return outcome;
  }

  private async drain(): Promise<Outcome> {
    if (!this.streamReady) {
      await ensureStream(this.options.bus, this.options.source);
      this.streamReady = true;
    }
    let round: Round;
    do {
      round = await this.round();
    } while (round === 'more' && !this.loop.stopping);
    // The other relay may have looked before our commit; look again once it is done.
    return round === 'elsewhere' ? STANDBY_MS : 'done';
  }

  private async round(): Promise<Round> {
    let failure: Error | undefined;
    const round = await this.options.database.transaction<Round>(async (tx) => {
      if (!(await becomeRelay(tx))) {
        return 'elsewhere';
      }
      const result = await this.publishUnsent(tx);
      failure = result.error;
      return result.full ? 'more' : 'empty';
    });
    if (failure) {
      // The stream may have been lost together with the broker's disk.
      this.streamReady = false;
      throw failure;
    }
    return round;
  }

  private async publishUnsent(tx: Transaction): Promise<{ full: boolean; error?: Error }> {
    const { bus, source, batch } = this.options;
    const rows = await selectUnsent(tx, batch);
    const [oldest] = rows;
    if (!oldest) {
      return { full: false };
    }
    lag.set({ source }, (Date.now() - oldest.created_at.getTime()) / 1_000);
    const { sent, error } = await publishAll(bus, source, rows);
    if (sent.length > 0) {
      await markSent(tx, sent);
      published.inc({ source }, sent.length);
      this.watchPlaces(sent);
    }
    return { full: rows.length === batch, error };
  }

  /** A stream only grows; where a new event gets a place that was taken, what was there is lost. */
  private watchPlaces(sent: readonly Sent[]): void {
    const { source, logger } = this.options;
    const places = sent.filter(({ duplicate }) => !duplicate).map(({ streamSequence }) => streamSequence);
    if (places.length === 0) {
      return;
    }
    if (Math.min(...places) <= this.newestPlace) {
      losses.inc({ source });
      logger.error({ mend: `npm run ops -- stream rebuild ${source}` }, 'the broker has lost events that it had');
    }
    this.newestPlace = Math.max(...places);
  }

  private async measureLag(): Promise<boolean> {
    const age = await oldestUnsentAge(this.options.database);
    lag.set({ source: this.options.source }, age ?? 0);
    return age !== undefined;
  }

  /** Before anything is published, so that it is known also while nothing can be. */
  private async countUnsent(): Promise<void> {
    if (Date.now() < this.nextCount) return;
    this.nextCount = Date.now() + COUNT_EVERY_MS;
    unsent.set({ source: this.options.source }, await countUnsent(this.options.database, MOST_COUNTED));
  }

  private async prune(): Promise<void> {
    if (Date.now() < this.nextPrune) {
      return;
    }
    const before = new Date(Date.now() - KEEP_SENT_MS);
    const pruned = await pruneSent(this.options.database, before, PRUNE_BATCH);
    if (pruned < PRUNE_BATCH) {
      this.nextPrune = Date.now() + PRUNE_EVERY_MS;
    }
  }
}

function retryMs(failures: number): number {
  return Math.min(100 * 2 ** failures, LONGEST_PAUSE_MS) * (0.5 + Math.random() / 2);
}
