import { Injectable } from '@nestjs/common';
import type { Principal } from '@souk/auth';
import type { Claim } from '@souk/idempotency';
import { OrderAccess } from './access.js';
import { cancelOrder, type Order } from './domain/order.js';
import { OrdersStore } from './orders.store.js';
import { SagaRunner } from './saga-runner.js';

export interface CancelOrderCommand {
  readonly orderId: string;
  readonly principal: Principal;
  readonly accessToken: string;
  /** Absent where the caller gave no key: cancelling is idempotent by itself. */
  readonly claim?: Claim;
}

/** Calls an order off and waits, as long as the caller can, until what it held has gone back. */
@Injectable()
export class CancelOrder {
  constructor(
    private readonly orders: OrdersStore,
    private readonly sagas: SagaRunner,
    private readonly access: OrderAccess,
  ) {}

  async execute(
    { orderId, principal, accessToken, claim }: CancelOrderCommand,
    waitMs: number,
  ): Promise<{ order: Order; replayed: boolean }> {
    // Before the claim: what it keeps is not for everyone who knows its key.
    this.access.check(await this.orders.get(orderId), principal, accessToken, 'orders:write');
    const fn = (present: Order) => cancelOrder(present, new Date());
    const { order, task, replayed } = await this.orders.update(orderId, fn, claim);
    return { order: await this.sagas.awaitOutcome(order.orderId, waitMs, task && this.sagas.run(task)), replayed };
  }
}
