import { Injectable } from '@nestjs/common';
import { undoAgain, type Order } from './domain/order.js';
import { OrdersStore } from './orders.store.js';
import { SagaRunner } from './saga-runner.js';
import { SagasStore, type ParkedSaga } from './sagas.store.js';

/** What people do about orders whose saga was given up, or left something behind. */
@Injectable()
export class ResumeOrders {
  constructor(
    private readonly orders: OrdersStore,
    private readonly sagas: SagasStore,
    private readonly runner: SagaRunner,
  ) {}

  /** Oldest first. @param after lists the orders that are newer than this one */
  listParked(limit: number, after?: string): Promise<ParkedSaga[]> {
    return this.sagas.listParked(limit, after);
  }

  /**
   * Lets an order's saga go on at once, where it left off. Of an order that was cancelled or refused everything is given back
   * once more; one that stands and is finished does not change.
   */
  async resume(orderId: string): Promise<Order> {
    const { order, task } = await this.orders.update(orderId, (present) => undoAgain(present, new Date()));
    if (task) {
      void this.runner.run(task);
      return order;
    }
    await this.sagas.resume(orderId);
    this.runner.wake();
    return this.orders.get(orderId);
  }
}
