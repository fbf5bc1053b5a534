// Carries erasures to their end. Guarantees: a service that is away delays an erasure and never ends it; one that keeps failing for
// another reason is parked and shown to operators; the certificate is made by a pass that found nothing left to wait for, after
// all that was about when the account ended (access tokens, events in the hands of consumers) has come to rest.
import { isDomainError } from '@souk/errors';
import type { Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import type { Certificates } from './certificate.js';
import { LEASE_SECONDS, LostErasure, type ErasePerson } from './erase-person.js';
import type { ErasuresStore, ErasureTask } from './erasures.store.js';

const MOST_FAULTS = 10;
const LONGEST_PAUSE_SECONDS = 15 * 60;
const PAUSE_SECONDS = 30;

export class ErasureWorker {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly store: ErasuresStore,
    private readonly erasing: ErasePerson,
    private readonly certificates: Certificates,
    private readonly logger: Logger,
    private readonly settleSeconds: number,
  ) {
    this.loop = new WorkerLoop({ name: 'the worker for erasures', round: () => this.round(), logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Says that there is an erasure. Cheap. */
  wake(): void {
    this.loop.wake();
  }

  /** Finishes the pass that is under way. */
  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  async round(): Promise<Outcome> {
    const task = await this.store.claim(LEASE_SECONDS);
    if (!task) return 'done';
    const renewing = setInterval(() => this.renew(task), (LEASE_SECONDS * 1_000) / 3);
    try {
      await this.work(task);
    } catch (error) {
      if (!(error instanceof LostErasure)) await this.fail(task, error);
    } finally {
      clearInterval(renewing);
    }
    return 'more';
  }

  /** One that fails costs nothing: another worker may take it over in time, and repeats what was done. */
  private renew(task: ErasureTask): void {
    this.store.renew(task, LEASE_SECONDS).catch((error: unknown) => {
      this.logger.warn({ err: error, erasureId: task.erasureId }, 'the lease of an erasure could not be renewed');
    });
  }

  private async work(task: ErasureTask): Promise<void> {
    const { pending, report } = await this.erasing.execute(task);
    const { erasureId } = task;
    if (pending > 0 || !task.settled) {
      const pauseSeconds = Math.min(PAUSE_SECONDS * (task.passes + 1), LONGEST_PAUSE_SECONDS, this.settleSeconds);
      await this.store.putOff(task, { pending, report, pauseSeconds });
      return;
    }
    const at = new Date();
    await this.store.complete(task, { report, certificate: await this.certificates.sign(task, report, at), at });
    this.logger.info({ erasureId }, 'a person is erased');
  }

  /** What failed is told by its reason: messages may name the person. */
  private async fail(task: ErasureTask, error: unknown): Promise<void> {
    const { erasureId, failures, faults } = task;
    const away = isDomainError(error) && error.kind === 'unavailable';
    const park = !away && faults + 1 >= MOST_FAULTS;
    const reason = isDomainError(error) ? error.reason : error instanceof Error ? error.name : 'unknown';
    const pauseSeconds = Math.min(2 ** failures, LONGEST_PAUSE_SECONDS, Math.max(1, this.settleSeconds));
    await this.store.fail(task, { error: reason, fault: !away, pauseSeconds, park });
    if (park)
      this.logger.error(
        { erasureId, reason, mend: `npm run ops -- erasures resume ${erasureId}` },
        'an erasure is parked',
      );
    else this.logger.warn({ erasureId, reason, failures }, 'an erasure is tried again later');
  }
}
