/**
 * Runs sagas: those that this process started, and those whose owner died or that wait for another try. Guarantees: no
 * saga is left without an owner for longer than its lease, however busy the process is with its own; one that keeps failing
 * for a reason of its own is parked, logged and counted, while the others go on. What passes by itself, such as a neighbour
 * that is away, is tried again for ever and never counts as a reason of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OnApplicationBootstrap, OnModuleDestroy } from '@nestjs/common';
import { isDomainError } from '@souk/errors';
import { callContext, currentContext, inSpan, metrics, runInContext, type Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import { type CheckoutSaga, NotYetKnown, SagaTakenOver } from './checkout-saga.js';
import type { Order } from './domain/order.js';
import type { OrdersStore } from './orders.store.js';
import type { SagasStore, SagaTask } from './sagas.store.js';

const POLL_MS = 500;
const MOST_TAKEN_OVER = 32;
const COUNT_EVERY_MS = 15_000;
const LOOK_AGAIN_MS = 150;
const FIRST_DELAY_MS = 200;
const LONGEST_DELAY_MS = 30_000;
const FAULTS_BEFORE_PARKING = 15;

const durations = metrics.histogram('orders_saga_duration_seconds');
const parkings = metrics.counter('orders_sagas_parked_total');
const parked = metrics.gauge('orders_sagas_parked');
const oldest = metrics.gauge('orders_saga_oldest_seconds');

export class SagaRunner implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly running = new Set<Promise<unknown>>();
  private readonly takeovers: WorkerLoop;
  private readonly counting: WorkerLoop;
  private takenOver = 0;

  constructor(
    private readonly orders: Pick<OrdersStore, 'get'>,
    private readonly sagas: SagasStore,
    private readonly saga: CheckoutSaga,
    private readonly logger: Logger,
  ) {
    const takeOver = () => this.takeOver();
    this.takeovers = new WorkerLoop({ name: 'the takeover of sagas', round: takeOver, pollMs: POLL_MS, logger });
    const count = () => this.count();
    this.counting = new WorkerLoop({ name: 'the count of sagas', round: count, pollMs: COUNT_EVERY_MS, logger });
  }

  onApplicationBootstrap(): void {
    this.takeovers.start();
    this.counting.start();
  }

  /** Lets the sagas under way finish. */
  async onModuleDestroy(): Promise<void> {
    await Promise.all([this.takeovers.stop(), this.counting.stop()]);
    await Promise.all(this.running);
  }

  /** Says that a saga became due. */
  wake(): void {
    this.takeovers.wake();
  }

  /** Runs a saga in the background. @returns the order at its end, or undefined where it was put off */
  run(task: SagaTask): Promise<Order | undefined> {
    const work = this.inBackground(task, () => this.tryOnce(task));
    this.running.add(work);
    void work.finally(() => this.running.delete(work));
    return work;
  }

  /** Waits for the outcome of an order that somebody settles. @returns the order as it is when the time is over */
  async awaitOutcome(orderId: string, waitMs: number, own?: Promise<Order | undefined>): Promise<Order> {
    const until = performance.now() + waitMs;
    const settled = own && (await atMost(waitMs, own));
    if (settled) return settled;
    for (;;) {
      const order = await this.orders.get(orderId);
      if (isSettled(order) || performance.now() + LOOK_AGAIN_MS > until) return order;
      await sleep(LOOK_AGAIN_MS);
    }
  }

  private async tryOnce(task: SagaTask): Promise<Order | undefined> {
    const end = durations.startTimer();
    try {
      const order = await this.saga.run(task);
      end({ outcome: order.state });
      return order;
    } catch (error) {
      end({ outcome: 'put_off' });
      await this.putOff(task, error).catch((failure: unknown) =>
        // Nobody was told that it failed, so the lease runs out and the saga is taken over.
        this.logger.error({ err: failure, orderId: task.order.orderId }, 'could not put a saga off'),
      );
      return undefined;
    }
  }

  private async putOff(task: SagaTask, error: unknown): Promise<void> {
    const { orderId } = task.order;
    if (error instanceof SagaTakenOver) {
      this.logger.info({ orderId, reason: error.message }, 'left a saga to its new owner');
      return;
    }
    const fault = !willPass(error);
    const park = fault && task.faults + 1 >= FAULTS_BEFORE_PARKING;
    const message = error instanceof Error ? error.message : String(error);
    await this.sagas.postpone(task, { delayMs: delayAfter(task.failures), error: message, fault, park });
    if (park) parkings.inc();
    const level = park ? 'error' : fault ? 'warn' : 'info';
    this.logger[level]({ orderId, failures: task.failures + 1, err: error }, park ? 'parked a saga' : 'put a saga off');
  }

  private async takeOver(): Promise<Outcome> {
    const room = MOST_TAKEN_OVER - this.takenOver;
    const tasks = room > 0 ? await this.sagas.claimDue(room) : [];
    for (const task of tasks) {
      this.takenOver++;
      void this.run(task).finally(() => this.takenOver--);
    }
    return 'done';
  }

  private async count(): Promise<Outcome> {
    const backlog = await this.sagas.backlog();
    parked.set(backlog.parked);
    oldest.set(backlog.oldest);
    return 'done';
  }

  /** A saga belongs to the order, not to the request that began it: it keeps the trace, not the deadline or the user. */
  private inBackground<T>({ order }: SagaTask, work: () => Promise<T>): Promise<T> {
    const { requestId, traceparent } = callContext();
    const parent = currentContext()?.traceparent;
    const span = {
      name: 'checkout saga',
      kind: 'internal',
      parent,
      attributes: { 'souk.order.id': order.orderId },
    } as const;
    return runInContext({ requestId, traceparent }, () => inSpan(span, work));
  }
}

/** What the work gives, or undefined where it takes longer. */
async function atMost<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  return Promise.race([work, over]).finally(() => clearTimeout(timer));
}

/** An answer that is not there yet, or a neighbour that is away or overloaded. */
function willPass(error: unknown): boolean {
  return error instanceof NotYetKnown || (isDomainError(error) && ['unavailable', 'exhausted'].includes(error.kind));
}

function isSettled(order: Order): boolean {
  return order.state !== 'PENDING' && order.phase !== 'UNDO';
}

/** Doubles with each failure, and varies so that sagas that failed together are not tried together. */
function delayAfter(failures: number): number {
  const delay = Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS);
  return Math.round(delay * (0.5 + Math.random() / 2));
}
