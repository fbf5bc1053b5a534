import { Injectable } from '@nestjs/common';
import type { Principal } from '@souk/auth';
import { OrderAccess } from './access.js';
import { cancelOrder, type Order } from './domain/order.js';
import { OrdersStore } from './orders.store.js';
import { SagaRunner } from './saga-runner.js';

/** Calls an order off and waits, as long as the caller can, until what it held has gone back. */
@Injectable()
export class CancelOrder {
  constructor(
    private readonly orders: OrdersStore,
    private readonly sagas: SagaRunner,
    private readonly access: OrderAccess,
  ) {}

  async execute(
    orderId: string,
    caller: { principal: Principal; accessToken: string },
    waitMs: number,
  ): Promise<Order> {
    const { order, task } = await this.orders.update(orderId, (present) => {
      this.access.check(present, caller.principal, caller.accessToken);
      return cancelOrder(present, new Date());
    });
    return this.sagas.awaitOutcome(order.orderId, waitMs, task && this.sagas.run(task));
  }
}
