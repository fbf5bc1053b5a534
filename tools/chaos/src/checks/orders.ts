import type { Operation } from '../history.ts';
import type { StoredOrder, World } from '../world.ts';
import { canFollow, SOLD, UNDONE } from './states.ts';
import { countBy, judge, type Verdict } from './verdict.ts';

export function checkOrders(world: World): Verdict[] {
  return [
    nothingIsLost(world),
    oneEffectPerKey(world),
    oneOrderPerCart(world),
    alongTheMachine(world),
    totals(world),
  ].concat(prices(world));
}

/** Answers that told a client of an order. */
function acknowledged({ operations }: World): (Operation & { orderId: string; state: string })[] {
  return operations.filter(
    (operation): operation is Operation & { orderId: string; state: string } =>
      operation.kind === 'place order' && operation.orderId !== undefined && operation.state !== undefined,
  );
}

function nothingIsLost(world: World): Verdict {
  return judge('I4', 'each acknowledged order is stored and at its end', (expect) => {
    const stored = new Map(world.orders.map((order) => [order.order_id, order]));
    for (const { orderId, state, total, number, status, reason } of acknowledged(world)) {
      const order = stored.get(orderId);
      expect(order !== undefined, () => `order ${orderId} was acknowledged (${status}) and is gone`);
      if (!order) continue;
      expect(canFollow(state, order.state), () => `order ${orderId} was told to be ${state} and is ${order.state}`);
      const agrees = (total ?? order.total_amount) === order.total_amount && (number ?? order.number) === order.number;
      expect(agrees, () => `order ${orderId} (${order.number}, ${order.total_amount}) was told as ${number}, ${total}`);
      const why = order.rejection?.reason;
      if (state === 'REJECTED') expect(why === reason, () => `order ${orderId} was refused by ${reason}, now ${why}`);
    }
    for (const { order_id, state, saga_phase, saga_error } of world.orders) {
      const ended = [...SOLD, ...UNDONE].includes(state) && saga_phase === 'DONE';
      expect(ended, () => `order ${order_id} is ${state} and its saga ${saga_phase} (${saga_error ?? 'no error'})`);
      const listed = world.listed.get(order_id);
      expect(listed === state, () => `order ${order_id} is ${state} and listed as ${listed ?? 'nothing'}`);
    }
    for (const operation of world.operations) expectKept(operation, stored, expect);
  });
}

/** What was promised about an order that is there. */
function expectKept(
  { kind, outcome, orderId = '' }: Operation,
  stored: ReadonlyMap<string, StoredOrder>,
  expect: (holds: boolean, otherwise: () => string) => void,
): void {
  if (outcome !== 'ok') return;
  const state = stored.get(orderId)?.state ?? 'gone';
  if (kind === 'cancel order') expect(UNDONE.includes(state), () => `order ${orderId} was called off and is ${state}`);
  if (kind === 'fulfil order') {
    expect(canFollow('FULFILLED', state), () => `order ${orderId} was fulfilled and is ${state}`);
  }
}

function oneEffectPerKey(world: World): Verdict {
  return judge('I5', 'one key, one order; all answers to it equal', (expect) => {
    const answers = Map.groupBy(acknowledged(world), ({ principal, key }) => `${principal}/${key}`);
    for (const [key, told] of answers) {
      const orders = new Set(told.map(({ orderId }) => orderId));
      expect(orders.size === 1, () => `the key ${key} was answered with the orders ${[...orders].join(', ')}`);
    }
    for (const [key, count] of countBy(world.orders, (order) => `${order.claim_principal}/${order.claim_key}`)) {
      expect(count === 1, () => `the key ${key} has ${count} orders`);
    }
    const reused = world.operations.filter(({ reason }) => reason === 'REQUEST_ID_REUSED');
    for (const { kind, key } of reused)
      expect(false, () => `${kind}: ${key} was repeated and taken for another request`);
    const counted = world.movements.filter(({ kind }) => kind === 'COUNTED' || kind === 'ADJUSTED');
    for (const [cause, count] of countBy(counted, ({ cause }) => cause)) {
      expect(count === 1, () => `the stock request ${cause} was carried out ${count} times`);
    }
  });
}

function oneOrderPerCart({ orders }: World): Verdict {
  return judge('I6', 'one live order per cart; each number once', (expect) => {
    const live = orders.filter(({ cart_id, state }) => cart_id !== null && state !== 'REJECTED');
    for (const [cart, count] of countBy(live, ({ cart_id }) => cart_id ?? '')) {
      expect(count === 1, () => `the cart ${cart} became ${count} orders`);
    }
    for (const [number, count] of countBy(orders, (order) => order.number)) {
      expect(count === 1, () => `${count} orders have the number ${number}`);
    }
  });
}

function alongTheMachine({ operations, orders, services, payments }: World): Verdict {
  return judge('I11', 'states move along the machine; versions only grow', (expect) => {
    const seen = operations.filter(({ orderId, state }) => orderId !== undefined && state !== undefined);
    for (const [orderId, told] of Map.groupBy(seen, (operation) => operation.orderId ?? '')) {
      expectForward(orderId, told, expect);
    }
    const stored = new Map(orders.map((order) => [order.order_id, order]));
    const events = services.find(({ service }) => service === 'orders')?.outbox ?? [];
    for (const [orderId, told] of Map.groupBy(events, (event) => event.aggregate_id)) {
      const versions = told.map(({ data }) => (JSON.parse(data) as { order: { version: number } }).order.version);
      const grows = versions.every((version, index) => version > (versions[index - 1] ?? 0));
      expect(grows, () => `the events of order ${orderId} have the versions ${versions.join(', ')}`);
      const order = stored.get(orderId);
      const last = versions.at(-1) ?? 0;
      expect((order?.version ?? 0) >= last, () => `order ${orderId} has version ${order?.version} after event ${last}`);
    }
    for (const { order_id, timeline } of orders) {
      for (const kind of ['PLACED', 'CONFIRMED', 'REJECTED', 'CANCELLED', 'FULFILLED']) {
        const times = timeline.filter((entry) => entry.kind === kind).length;
        expect(times <= 1, () => `order ${order_id} was ${kind} ${times} times`);
      }
    }
    for (const { payment_id, version } of payments) expect(version > 0, () => `payment ${payment_id} has no version`);
  });
}

/** Whoever asked after another had been answered saw the same state or a later one. */
function expectForward(
  orderId: string,
  told: readonly Operation[],
  expect: (holds: boolean, otherwise: () => string) => void,
): void {
  const byEnd = told.toSorted((a, b) => a.ended - b.ended);
  for (const [index, later] of byEnd.entries()) {
    const before = byEnd.slice(0, index).findLast(({ ended }) => ended <= later.began);
    if (!before?.state || !later.state) continue;
    const { state } = before;
    expect(canFollow(state, later.state), () => `order ${orderId} was seen ${state} and after that ${later.state}`);
  }
}

function totals({ orders }: World): Verdict {
  return judge('I15', 'lines sum to the total', (expect) => {
    for (const { order_id, lines, total_amount } of orders) {
      const sum = lines.reduce((total, { quantity, price }) => total + quantity * Number(price), 0);
      expect(sum === total_amount, () => `order ${order_id}: lines of ${sum}, total ${total_amount}`);
    }
  });
}

function prices({ orders, goods, operations }: World): Verdict {
  return judge('I16', 'what was asked for was ordered, at the price that was shown', (expect) => {
    const shown = new Map(goods.map(({ sku, price }) => [sku, price]));
    for (const { order_id, lines } of orders) {
      for (const { sku, price } of lines) {
        expect(Number(price) === shown.get(sku), () => `order ${order_id}: ${sku} for ${price}, not ${shown.get(sku)}`);
      }
    }
    const byKey = new Map(orders.map((order) => [order.claim_key, order]));
    for (const { kind, key = '', lines } of operations) {
      const order = byKey.get(key);
      if (kind !== 'place order' || !lines || !order) continue;
      const text = (list: readonly { sku: string; quantity: number }[]) =>
        list.map(({ sku, quantity }) => `${quantity} ${sku}`).join(', ');
      expect(
        text(lines) === text(order.lines),
        () => `order ${order.order_id}: ${text(order.lines)}, not ${text(lines)}`,
      );
    }
  });
}
