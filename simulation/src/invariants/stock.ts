/** Never oversold: what is held and sold was there, and the ledger of movements sums to it. */
import type { History } from '../shop/history.ts';
import type { World } from '../world.ts';
import {
  rowsOf,
  SOLD_STATES,
  type CartHoldRow,
  type HoldRow,
  type MovementRow,
  type OrderRow,
  type StockRow,
} from './rows.ts';
import { require } from './violation.ts';

type Lines = readonly { readonly sku: string; readonly quantity: number }[];

/** Also true in the middle of a run. */
export function checkCounters({ sku, on_hand: onHand, held }: StockRow): void {
  require(onHand >= 0 && held >= 0 && held <= onHand, 'I1', () => `${sku}: ${held} of ${onHand} units are held`);
}

export function checkStock(world: World, history: History): void {
  const stock = rowsOf<StockRow>(world, 'inventory', 'stock');
  const holds = rowsOf<HoldRow>(world, 'inventory', 'holds');
  const cartHolds = rowsOf<CartHoldRow>(world, 'inventory', 'cart_holds');
  const orders = rowsOf<OrderRow>(world, 'orders', 'orders');
  const sold = orders.filter(({ state }) => SOLD_STATES.includes(state));
  for (const row of stock) {
    const { sku, held } = row;
    checkCounters(row);
    const [received, promised] = [history.received.get(sku) ?? 0, unitsOf(sku, sold)];
    require(promised <= received, 'I1', () => `${promised} units of ${sku} were sold, of ${received} there ever were`);
    const live = [...holds.filter(({ state }) => state === 'HELD'), ...cartHolds];
    const asked = unitsOf(sku, live);
    require(held === asked, 'I3', () => `${held} units of ${sku} count as held, and ${asked} are`);
    checkLedger(row, rowsOf<MovementRow>(world, 'inventory', 'movements'));
  }
  checkHolds(orders, holds, cartHolds);
}

function checkLedger({ sku, on_hand: onHand, held, version }: StockRow, all: readonly MovementRow[]): void {
  const movements = all.filter((movement) => movement.sku === sku);
  const sum = (column: 'on_hand_delta' | 'held_delta') => movements.reduce((total, row) => total + row[column], 0);
  const sums = { onHand: sum('on_hand_delta'), held: sum('held_delta'), version: movements.length };
  const counters = { onHand, held, version };
  require(JSON.stringify(sums) === JSON.stringify(counters), 'I2', () => {
    return `${sku}: the movements sum to ${JSON.stringify(sums)}, the counters are ${JSON.stringify(counters)}`;
  });
  const causes = movements.map(({ cause, kind }) => `${cause} ${kind}`);
  require(new Set(causes).size === causes.length, 'I2', () => `${sku}: a cause moved it twice`);
}

/** Holds go with the orders that they are for. */
function checkHolds(orders: readonly OrderRow[], holds: readonly HoldRow[], cartHolds: readonly CartHoldRow[]): void {
  const byOrder = new Map(holds.map((hold) => [hold.order_id, hold]));
  for (const { order_id: orderId, state } of orders) {
    const held = byOrder.get(orderId)?.state ?? 'nothing';
    if (SOLD_STATES.includes(state)) {
      require(held === 'SOLD', 'I9', () => `order ${orderId} is ${state} and its units are ${held}`);
    } else {
      const isFree = held !== 'HELD' && held !== 'SOLD';
      require(isFree, 'I10', () => `order ${orderId} is ${state} and its units are ${held}`);
    }
    byOrder.delete(orderId);
  }
  const stray = [...byOrder.values()].find(({ state }) => state === 'HELD' || state === 'SOLD');
  require(!stray, 'I3', () => `units are ${stray?.state} for order ${stray?.order_id}, which does not exist`);
  require(cartHolds.length === 0, 'I3', () => `cart ${cartHolds[0]?.cart_id} holds units beyond its time`);
}

function unitsOf(sku: string, holders: readonly { readonly lines: Lines }[]): number {
  const lines = holders.flatMap((holder) => holder.lines).filter((line) => line.sku === sku);
  return lines.reduce((sum, { quantity }) => sum + quantity, 0);
}
