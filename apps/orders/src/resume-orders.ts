import { Injectable } from '@nestjs/common';
import type { Order } from './domain/order.js';
import { OrdersStore } from './orders.store.js';
import { SagaRunner } from './saga-runner.js';
import { SagasStore, type ParkedSaga } from './sagas.store.js';

/** What people do about orders whose saga was given up. */
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

  /** Lets an order's saga go on at once, where it left off. Changes nothing where it is finished. */
  async resume(orderId: string): Promise<Order> {
    await this.sagas.resume(orderId);
    this.runner.wake();
    return this.orders.get(orderId);
  }
}
