/**
 * Acts on stored notices, payment by payment. What a notice says is not believed: it may be late, doubled or overtaken by
 * another. Unless the payment got that far already, it makes us ask the provider for the present state, which goes through
 * the same rules as an answer.
 */
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import { isOldNews } from './domain/follow-provider.js';
import { LeaseLost, type LeasesStore } from './leases.store.js';
import type { LeasedPayment } from './payments.rows.js';
import type { PaymentsStore } from './payments.store.js';
import type { Providers } from './providers.js';
import type { SettlePayment } from './settle-payment.js';
import type { DueNotice, NoticeOutcome, WebhooksStore } from './webhooks.store.js';

const BATCH = 32;
const BUSY_MS = 250;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 10 * 60 * 1000;

const acted = metrics.counter('payments_webhooks_total');

type Next = { done: NoticeOutcome } | { retryAfterMs: number } | { isBusy: true };

export class WebhookWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly webhooks: WebhooksStore,
    private readonly payments: PaymentsStore,
    private readonly leases: LeasesStore,
    private readonly settle: SettlePayment,
    private readonly providers: Providers,
    private readonly logger: Logger,
  ) {
    this.loop = new WorkerLoop({ name: 'the webhook worker', round: () => this.round(), logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  /** Says that a notice was stored. */
  wake(): void {
    this.loop.wake();
  }

  private async round(): Promise<Outcome> {
    const due = await this.webhooks.claim(BATCH);
    if (due.length === 0) return 'done';
    const news = await this.setOldNewsAside(due);
    const byIntent = Map.groupBy(news, ({ reference }) => reference);
    await Promise.all([...byIntent.values()].map((notices) => this.act(notices)));
    return due.length === BATCH ? 'more' : 'done';
  }

  /** Most notices tell of what we did ourselves: they cost no question. */
  private async setOldNewsAside(due: DueNotice[]): Promise<DueNotice[]> {
    const payments = await this.payments.byReferences(due.map(({ reference }) => reference));
    const isOld = ({ reference, says, says_amount: amount }: DueNotice) => {
      const payment = payments.get(reference);
      return payment !== undefined && says !== null && isOldNews(payment, { reference, says, amount: amount ?? 0n });
    };
    const old = due.filter(isOld).map((notice) => notice.event_id);
    acted.inc({ outcome: 'OLD_NEWS' }, old.length);
    await this.webhooks.finish(old, 'OLD_NEWS');
    return due.filter((notice) => !isOld(notice));
  }

  /** Several notices of one intent cost one question. */
  private async act(notices: DueNotice[]): Promise<void> {
    const [first] = notices;
    if (!first) return;
    const next = await this.attend(first).catch((error: unknown) => this.failed(first, error));
    const eventIds = notices.map((notice) => notice.event_id);
    if ('isBusy' in next) return this.webhooks.postpone(eventIds, BUSY_MS, false);
    if ('retryAfterMs' in next) return this.webhooks.postpone(eventIds, next.retryAfterMs, true);
    acted.inc({ outcome: next.done }, notices.length);
    await this.webhooks.finish(eventIds, next.done);
  }

  private async attend(notice: DueNotice): Promise<Next> {
    const { reference, payment_id: paymentId } = notice;
    if (reference === '') return { done: 'IGNORED' };
    const lease = await this.leases.takeByIntent(reference, paymentId);
    if (lease === 'busy') return { isBusy: true };
    if (lease !== 'unknown') return this.apply(lease, notice);
    this.logger.warn({ reference, paymentId }, 'the provider tells of a payment that is not known here');
    return { done: 'UNKNOWN_PAYMENT' };
  }

  private async apply(lease: LeasedPayment, { reference, tries }: DueNotice): Promise<Next> {
    const { payment } = lease;
    const found = await this.providers.of(payment.method).find(payment, reference);
    if (found.outcome === 'unknown' || found.outcome === 'absent') {
      await this.settle.putBack(lease);
      return { retryAfterMs: retryDelay(tries) };
    }
    await this.settle.follow(lease, found);
    return { done: 'APPLIED' };
  }

  private failed({ event_id: eventId, reference, tries }: DueNotice, error: unknown): Next {
    if (error instanceof LeaseLost) return { isBusy: true };
    this.logger.error({ err: error, eventId, reference }, 'a notice could not be acted on; it is tried again');
    return { retryAfterMs: retryDelay(tries) };
  }
}

function retryDelay(tries: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** tries, LONGEST_RETRY_MS);
}
