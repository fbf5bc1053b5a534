import type { Transaction } from '@souk/postgres';
import { LOCK_CART_HOLDS, READ_CLOCK, toCartHold, type CartHoldRow } from './cart-holds.statements.js';
import { LockedStock } from './locked-stock.js';
import type { StockCommand } from './stock-commands.js';
import { LOCK_HOLDS, LOCK_STOCK, toHold, toStock, type HoldRow, type StockRow } from './stock.statements.js';

/** Locks what the commands need, in the one order: orders' holds, carts' holds, stock. One round trip. */
export async function lockStock(tx: Transaction, commands: readonly StockCommand[]): Promise<LockedStock> {
  const { orders, carts, skus, ending, timed } = needsOf(commands);
  const [holds, cartHolds, stock, clock] = await Promise.all([
    orders.length > 0 ? tx.query<HoldRow>(LOCK_HOLDS, [orders]) : [],
    carts.length > 0 ? tx.query<CartHoldRow>(LOCK_CART_HOLDS, [carts]) : [],
    tx.query<StockRow>(LOCK_STOCK, [skus, ending, carts]),
    timed ? tx.query<{ now: Date }>(READ_CLOCK) : [],
  ]);
  return new LockedStock({
    stock: stock.map(toStock),
    holds: holds.map(toHold),
    cartHolds: cartHolds.map(toCartHold),
    now: clock[0]?.now,
  });
}

function needsOf(commands: readonly StockCommand[]) {
  return {
    orders: commands.flatMap((command) => ('orderId' in command ? [command.orderId] : [])),
    carts: commands.flatMap((command) => ('cartId' in command && command.cartId ? [command.cartId] : [])),
    skus: commands.flatMap((command) => ('lines' in command ? command.lines.map(({ sku }) => sku) : [])),
    /** What they end is told by their holds. */
    ending: commands.flatMap((command) =>
      command.name === 'release' || command.name === 'sell' ? [command.orderId] : [],
    ),
    timed: commands.some(({ name }) => name === 'holdCart' || name === 'expireCart'),
  };
}
