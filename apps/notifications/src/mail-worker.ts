// Hands queued mails over. Guarantees: a mail that must not be repeated is marked SENDING before it leaves, so that a
// worker that dies never causes a second one; a mail that surely did not arrive is tried again, later and later, up to a
// limit. Woken after commits, looks by itself every second. It rests twice as long as it worked: mails may lag behind a rush
// of orders, and must not take the processor from them.
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import { isAddress, type Delivery, type Mailer } from './mailer.js';
import type { NotificationsStore, QueuedMail, Settlement } from './notifications.store.js';

export interface MailWorkerOptions {
  readonly store: NotificationsStore;
  readonly mailer: Mailer;
  readonly logger: Logger;
  /** Most mails of one round (50). */
  readonly batch?: number;
  /** Most mails that are handed over at the same time (4). */
  readonly atOnce?: number;
  /** How often it looks without being woken (1 s). */
  readonly pollMs?: number;
  /** Pause before a mail's second try; doubles with each further one (5 s). */
  readonly firstPauseSeconds?: number;
}

const TRIES = 12;
const LONGEST_PAUSE_SECONDS = 3_600;
// How long a mail is a worker's own. Once it is being handed over: longer than the mailer's own deadline.
const CLAIMED_SECONDS = 60;
const SENDING_SECONDS = 600;
// So that one round serves the mails of many commits.
const GATHER_MS = 50;
const REST_PER_WORK = 2;
const LONGEST_REST_MS = 2_000;

const handedOver = metrics.counter('mails_total');

export class MailWorker {
  private readonly options: Required<MailWorkerOptions>;
  private readonly loop: WorkerLoop;

  constructor(options: MailWorkerOptions) {
    this.options = { batch: 50, atOnce: 4, pollMs: 1_000, firstPauseSeconds: 5, ...options };
    const { pollMs, logger } = this.options;
    const round = () => this.work();
    this.loop = new WorkerLoop({ name: 'the mail worker', round, restMs, gatherMs: GATHER_MS, pollMs, logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Says that there is a mail. Cheap. */
  wake(): void {
    this.loop.wake();
  }

  /** Finishes the round that is under way. */
  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  /** Hands over what is due, up to a batch; answers how many mails that were. */
  async round(): Promise<number> {
    const { store, batch } = this.options;
    const { claim, mails } = await store.claim(batch, CLAIMED_SECONDS);
    const settlements = await this.inParallel(mails, (mail) => this.handOver(claim, mail));
    await store.settle(
      claim,
      settlements.filter((settlement) => settlement !== undefined),
    );
    return mails.length;
  }

  private async work(): Promise<Outcome> {
    if ((await this.round()) > 0) return 'more';
    await this.giveUpAbandoned();
    return 'done';
  }

  private async handOver(claim: string, mail: QueuedMail): Promise<Settlement | undefined> {
    const { store, mailer } = this.options;
    const { notificationId, recipient } = mail;
    if (!isAddress(recipient))
      return this.settlement(mail, { outcome: 'failed', error: 'The recipient is no address.' });
    if (mailer.repeatable) return this.settlement(mail, await mailer.deliver(mail));
    if (this.loop.stopping) return { notificationId, state: 'QUEUED' };
    if (!(await store.begin(claim, notificationId, SENDING_SECONDS))) return undefined;
    // At once and not with the round: what became of a mail that can't be repeated must not be forgotten.
    await store.settle(claim, [this.settlement(mail, await mailer.deliver(mail))]);
    return undefined;
  }

  private settlement({ notificationId, tries }: QueuedMail, delivery: Delivery): Settlement {
    handedOver.inc({ outcome: delivery.outcome });
    if (delivery.outcome === 'sent') return { notificationId, state: 'SENT' };
    const { error } = delivery;
    if (delivery.outcome === 'failed' || tries >= TRIES) {
      this.options.logger.error({ notificationId, tries, error }, 'a mail is given up');
      return { notificationId, state: 'FAILED', error };
    }
    const pauseSeconds = Math.min(this.options.firstPauseSeconds * 2 ** (tries - 1), LONGEST_PAUSE_SECONDS);
    this.options.logger.warn({ notificationId, tries, error, pauseSeconds }, 'a mail is tried again later');
    return { notificationId, state: 'QUEUED', error, pauseSeconds };
  }

  private async giveUpAbandoned(): Promise<void> {
    const count = await this.options.store.failAbandoned();
    if (count > 0) this.options.logger.error({ count }, 'mails are given up: not known to have arrived');
  }

  private async inParallel<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
    const results: R[] = [];
    const entries = items.entries();
    const lane = async () => {
      for (const [index, item] of entries) results[index] = await work(item);
    };
    await Promise.all(Array.from({ length: this.options.atOnce }, lane));
    return results;
  }
}

function restMs(workedMs: number): number {
  return Math.min(workedMs * REST_PER_WORK, LONGEST_REST_MS);
}
