/** Never lost and never doubled: what a customer was told of exists, once, and comes to its end. */
import type { History, Wish } from '../shop/history.ts';
import type { World } from '../world.ts';
import { rowsOf, type OrderRow } from './rows.ts';
import { require } from './violation.ts';

export function checkOrders(world: World, history: History): void {
  const orders = rowsOf<OrderRow>(world, 'orders', 'orders');
  const byId = new Map(orders.map((order) => [order.order_id, order]));
  for (const wish of history.wishes) checkWish(wish, byId);
  for (const order of orders) {
    const { order_id: orderId, state, saga_phase: phase } = order;
    require(state !== 'PENDING' && phase === 'DONE', 'I4', () => `order ${orderId} is still ${state}, ${phase}`);
  }
  checkUnique('I5', 'key', orders, (order) => `${order.claim_principal} ${order.claim_key}`);
  checkUnique('I6', 'order number', orders, (order) => order.number);
  const live = orders.filter(({ state, cart_id: cartId }) => cartId !== null && state !== 'REJECTED');
  checkUnique('I6', 'cart', live, (order) => String(order.cart_id));
  for (const orderId of history.cancelled) {
    const state = byId.get(orderId)?.state;
    require(state === 'CANCELLED', 'I11', () => `order ${orderId} was said to be CANCELLED and is ${state}`);
  }
}

function checkWish({ key, answers }: Wish, orders: ReadonlyMap<string, OrderRow>): void {
  const seen = [...new Set(answers.map(({ orderId }) => orderId))];
  require(seen.length <= 1, 'I5', () => `the key ${key} was answered with the orders ${seen.join(' and ')}`);
  for (const { orderId, number } of answers) {
    const order = orders.get(orderId);
    require(order !== undefined, 'I4', () => `order ${orderId} was acknowledged and does not exist`);
    require(order.number === number, 'I6', () => `order ${orderId} was ${number} and is ${order.number}`);
  }
}

function checkUnique(
  invariant: string,
  what: string,
  orders: readonly OrderRow[],
  by: (order: OrderRow) => string,
): void {
  for (const [key, same] of Map.groupBy(orders, by)) {
    require(same.length === 1, invariant, () => {
      return `the ${what} ${key} has ${same.length} orders: ${same.map(({ order_id: id, state }) => `${id} ${state}`).join(', ')}`;
    });
  }
}
