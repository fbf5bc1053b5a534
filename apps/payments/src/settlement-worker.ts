/**
 * Takes the steps that nobody waits for: captures that an event asked for, and whatever a provider had not answered or a
 * process that died left behind; and lets go what nobody captured in time. Any number of replicas may run it: a payment is claimed by its lease.
 * At most so many are under way at a time, so that a slow provider fills this worker and not the database.
 */
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { metrics, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import type { LeasesStore } from './leases.store.js';
import type { LeasedPayment } from './payments.rows.js';
import type { SettlePayment } from './settle-payment.js';

const AT_ONCE = 16;

const failures = metrics.counter('payments_settlement_failures_total');

export class SettlementWorker implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly loop: WorkerLoop;
  private readonly underWay = new Set<Promise<void>>();

  constructor(
    private readonly leases: LeasesStore,
    private readonly settle: SettlePayment,
    private readonly logger: Logger,
  ) {
    this.loop = new WorkerLoop({ name: 'the settlement worker', round: () => this.round(), logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.loop.stop();
    await Promise.all(this.underWay);
  }

  /** Says that something is due. */
  wake(): void {
    this.loop.wake();
  }

  private async round(): Promise<Outcome> {
    const free = AT_ONCE - this.underWay.size;
    const claimed = free > 0 ? await this.leases.claimDue(free) : [];
    for (const lease of claimed) this.begin(lease);
    return claimed.length > 0 && this.underWay.size < AT_ONCE ? 'more' : 'done';
  }

  private begin(lease: LeasedPayment): void {
    const work = this.settle
      .execute(lease)
      .then(
        () => undefined,
        (error: unknown) => this.failed(lease, error),
      )
      .finally(() => {
        this.underWay.delete(work);
        this.loop.wake();
      });
    this.underWay.add(work);
  }

  /** Its lease runs out, and then it is due again. */
  private failed({ payment }: LeasedPayment, error: unknown): void {
    failures.inc();
    const { paymentId, orderId, state } = payment;
    this.logger.error({ err: error, paymentId, orderId, state }, 'a payment could not be settled; it is tried again');
  }
}
