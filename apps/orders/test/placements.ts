import { uuidv7 } from '@souk/postgres';
import { placeOrder, type NewOrder } from '../src/domain/order.js';
import type { OrdersStore, Placement } from '../src/orders.store.js';
import type { SagaTask } from '../src/sagas.store.js';
import { ANY_TIME, newOrder } from './order-builder.js';

let counter = 0;

/** An order to write that clashes with no other, unless `change` or `claim` make it. */
export function placement(change: Partial<NewOrder> = {}, claim: Partial<Placement['claim']> = {}): Placement {
  const number = `TEST-${String(++counter).padStart(4, '0')}`;
  return {
    change: placeOrder(newOrder({ orderId: uuidv7(), number, ...change }), ANY_TIME),
    claim: { principal: 'guest', operation: 'PlaceOrder', key: number, fingerprint: 'f', ...claim },
  };
}

export async function placed(store: OrdersStore, change: Partial<NewOrder> = {}): Promise<SagaTask> {
  return (await store.insert(placement(change))) as SagaTask;
}
