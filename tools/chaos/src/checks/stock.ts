import type { World } from '../world.ts';
import { SOLD, UNDONE } from './states.ts';
import { countBy, judge, sumBy, type Expect, type Verdict } from './verdict.ts';

const RECEIVED: readonly string[] = ['OPENED', 'COUNTED', 'ADJUSTED'];

/** How soon a hold is swept after its time. */
const LONGEST_OVERDUE_S = 10;
const CLOCK_MS = 500;

export function checkStock(world: World): Verdict[] {
  return [neverOversold(world), ledgerSumsUp(world), holdsAreTrue(world)];
}

function neverOversold({ stock, movements, orders }: World): Verdict {
  return judge('I1', 'nothing is oversold: sold + held <= received, at each moment', (expect) => {
    for (const { sku, on_hand, held } of stock) {
      expect(held >= 0 && held <= on_hand, () => `${sku}: ${held} held of ${on_hand} on hand`);
    }
    const shelf = new Map<string, { onHand: number; held: number }>();
    for (const { sku, kind, cause, on_hand_delta, held_delta } of movements) {
      const before = shelf.get(sku) ?? { onHand: 0, held: 0 };
      const after = { onHand: before.onHand + on_hand_delta, held: before.held + held_delta };
      shelf.set(sku, after);
      const fits = after.held >= 0 && after.held <= after.onHand;
      expect(fits, () => `${sku}: ${after.held} held of ${after.onHand} on hand after ${kind} of ${cause}`);
    }
    const lines = orders.filter(({ state }) => SOLD.includes(state)).flatMap((order) => order.lines);
    const ordered = sumBy(
      lines,
      ({ sku }) => sku,
      ({ quantity }) => quantity,
    );
    const received = sumBy(
      movements.filter(({ kind }) => RECEIVED.includes(kind)),
      ({ sku }) => sku,
      ({ on_hand_delta }) => on_hand_delta,
    );
    for (const { sku, on_hand, held } of stock) {
      const [sold = 0, came = 0] = [ordered.get(sku), received.get(sku)];
      expect(sold + held <= came, () => `${sku}: ${sold} ordered and ${held} held of ${came} received`);
      expect(came - sold === on_hand, () => `${sku}: ${came} received, ${sold} ordered, and ${on_hand} on hand`);
    }
  });
}

function ledgerSumsUp({ stock, movements, operations }: World): Verdict {
  return judge('I2', 'movements sum to the counters; each cause once', (expect) => {
    const counts = countBy(movements, ({ sku }) => sku);
    const onHand = sumBy(
      movements,
      ({ sku }) => sku,
      ({ on_hand_delta }) => on_hand_delta,
    );
    const held = sumBy(
      movements,
      ({ sku }) => sku,
      ({ held_delta }) => held_delta,
    );
    for (const row of stock) {
      const { sku, version } = row;
      expect(onHand.get(sku) === row.on_hand, () => `${sku}: on hand ${row.on_hand}, movements ${onHand.get(sku)}`);
      expect(held.get(sku) === row.held, () => `${sku}: held ${row.held}, movements ${held.get(sku)}`);
      expect(counts.get(sku) === version, () => `${sku}: version ${version} after ${counts.get(sku)} movements`);
    }
    for (const [cause, count] of countBy(
      movements,
      (movement) => `${movement.kind} of ${movement.sku} by ${movement.cause}`,
    )) {
      expect(count === 1, () => `${cause} ${count} times`);
    }
    // `<who>:<key>`
    const keys = new Set(movements.map(({ cause }) => cause.split(':').at(-1)));
    for (const { kind, key = '', outcome, sku } of operations) {
      if (kind !== 'adjust stock' || outcome !== 'ok') continue;
      expect(keys.has(key), () => `${sku}: the adjustment ${key} was acknowledged and is not in the ledger`);
    }
  });
}

function holdsAreTrue(world: World): Verdict {
  return judge('I3', 'holds are what their orders are; what a cart holds is its own', (expect) => {
    holdsFollowOrders(world, expect);
    cartsKeepWhatTheyHold(world, expect);
  });
}

function holdsFollowOrders({ orders, holds, stock, cartHolds }: World, expect: Expect): void {
  const holdOf = new Map(holds.map((hold) => [hold.order_id, hold]));
  for (const { order_id, state } of orders) {
    const hold = holdOf.get(order_id)?.state ?? 'NONE';
    if (SOLD.includes(state)) expect(hold === 'SOLD', () => `order ${order_id} is ${state}, its hold is ${hold}`);
    if (!UNDONE.includes(state)) continue;
    const gone = ['RELEASED', 'REFUSED', 'NONE'].includes(hold);
    expect(gone, () => `order ${order_id} is ${state}, its hold is ${hold}`);
  }
  const known = new Set(orders.map(({ order_id }) => order_id));
  for (const { order_id, state } of holds) {
    expect(known.has(order_id), () => `the hold (${state}) of ${order_id} has no order`);
  }
  for (const { cart_id, overdue } of cartHolds) {
    expect(overdue < LONGEST_OVERDUE_S, () => `the cart ${cart_id} holds stock ${overdue} s longer than it may`);
  }
  const live = [...holds.filter(({ state }) => state === 'HELD'), ...cartHolds].flatMap(({ lines }) => lines);
  const units = sumBy(
    live,
    ({ sku }) => sku,
    ({ quantity }) => quantity,
  );
  for (const { sku, held } of stock) {
    expect(held === (units.get(sku) ?? 0), () => `${sku}: ${held} held, and holds of ${units.get(sku) ?? 0}`);
  }
}

/** Whoever orders what his cart holds is not told that it is short, as long as the hold's time is not over. */
function cartsKeepWhatTheyHold({ orders, operations }: World, expect: Expect): void {
  const promised = operations.filter(
    ({ kind, outcome, expires }) => kind === 'hold cart' && outcome === 'ok' && expires,
  );
  const ordersOf = Map.groupBy(orders, ({ cart_id }) => cart_id ?? '');
  for (const { cartId = '', expires = '' } of promised) {
    // Another order of the cart may have used the hold up.
    const [order, another] = ordersOf.get(cartId) ?? [];
    if (!order || another) continue;
    const short = order.timeline.find(({ kind }) => kind === 'STOCK_SHORT');
    const tooEarly = short !== undefined && Date.parse(short.time) < Date.parse(expires) - CLOCK_MS;
    expect(
      !tooEarly,
      () => `order ${order.order_id} was short at ${short?.time} of what its cart held until ${expires}`,
    );
  }
}
