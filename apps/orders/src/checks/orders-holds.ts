/**
 * Compares orders with the stock that is held or sold for them. Holds are read before the orders, and only orders that have not
 * changed for a while are judged: what is merely on its way is no difference.
 */
import type { Check, Finding } from '@souk/operations';
import type { Hold_State, InventoryServiceService } from '@souk/proto/inventory/v1';
import type { RpcClient } from '@souk/rpc';
import { PAGE, type ChecksStore, type ComparedOrder } from './checks.store.js';
import { Findings } from './findings.js';
import { cancel, releaseStock, replay, resume } from './mends.js';

export type HoldsPort = Pick<RpcClient<InventoryServiceService>, 'batchGetHolds' | 'listHolds'>;

const RESTED_S = 120;
/** By then the event of the confirmation has long reached inventory. */
const SOLD_AFTER_S = 600;

export function ordersHoldsCheck(orders: ChecksStore, inventory: HoldsPort): Check {
  const run = async () => {
    const findings = new Findings();
    for await (const orderIds of orders.changedLately()) {
      const { holds } = await inventory.batchGetHolds({ orderIds });
      const states = new Map(holds.map(({ orderId, state }) => [orderId, state]));
      const found = await orders.compared(orderIds);
      findings.add([...found.values()].map((order) => holdFinding(order, states.get(order.orderId))));
      if (findings.full) break;
    }
    for await (const orderIds of heldOrders(inventory)) {
      const found = await orders.compared(orderIds);
      findings.add(orderIds.map((orderId) => heldFinding(orderId, found.get(orderId))));
      if (findings.full) break;
    }
    return findings.result;
  };
  return { name: 'orders-holds', run };
}

/** Identifiers of the orders for which units are held, page by page. */
async function* heldOrders(inventory: HoldsPort): AsyncGenerator<string[]> {
  const before = new Date(Date.now() - RESTED_S * 1_000);
  let pageToken = '';
  do {
    const { holds, nextPageToken } = await inventory.listHolds({ before, pageSize: PAGE, pageToken });
    yield holds.map(({ orderId }) => orderId);
    pageToken = nextPageToken;
  } while (pageToken);
}

function heldFinding(orderId: string, order: ComparedOrder | undefined): Finding | undefined {
  if (order) return holdFinding(order, 'STATE_HELD');
  const detail = 'Units are held for an order that does not exist.';
  return { subject: orderId, detail, mend: releaseStock(orderId) };
}

/** What is wrong between an order and its hold, which is undefined where it has none. */
export function holdFinding(order: ComparedOrder, hold: Hold_State | undefined): Finding | undefined {
  const { orderId: subject, state, phase, idleS } = order;
  if (phase !== 'DONE' || idleS < RESTED_S) return undefined;
  const held = hold === 'STATE_HELD';
  const sold = hold === 'STATE_SOLD';
  if (state === 'REJECTED' || state === 'CANCELLED') {
    if (!held && !sold) return undefined;
    return { subject, detail: `It is ${state}, but its units are ${held ? 'held' : 'sold'}.`, mend: resume(subject) };
  }
  if (sold || (held && idleS < SOLD_AFTER_S)) return undefined;
  if (held) {
    const detail = `It is ${state}, but its units are still held and not sold.`;
    return { subject, detail, mend: replay('inventory-OrderConfirmed', order) };
  }
  const detail = `It is ${state}, but no units are held or sold for it: its hold is ${named(hold)}.`;
  return { subject, detail, mend: cancel(subject) };
}

function named(hold: Hold_State | undefined): string {
  return hold?.replace('STATE_', '') ?? 'missing';
}
