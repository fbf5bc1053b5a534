/** A small world in which everything is as it should be: one order sold, one refused, one called off. */
import type { World } from '../src/world.ts';

const GOOD = { sku: 'SCARCE-0', opening: 10, price: 1_049 };

export function soundWorld(): World {
  const sold = order('sold', 'CONFIRMED', ['PLACED', 'CONFIRMED']);
  const refused = { ...order('refused', 'REJECTED', ['PLACED', 'REJECTED']), rejection: { reason: 'STOCK_SHORT' } };
  const off = order('off', 'CANCELLED', ['PLACED', 'CONFIRMED', 'CANCELLED']);
  return {
    operations: [
      answer({ orderId: 'sold', key: 'key-sold', state: 'CONFIRMED', status: 201, outcome: 'ok', total: 2_098 }),
      answer({
        orderId: 'refused',
        key: 'key-refused',
        state: 'REJECTED',
        status: 409,
        outcome: 'refused',
        reason: 'STOCK_SHORT',
      }),
      answer({ orderId: 'off', key: 'key-off', state: 'CONFIRMED', status: 201, outcome: 'ok' }),
      { ...answer({ orderId: 'off', state: 'CANCELLED', status: 200, outcome: 'ok' }), kind: 'cancel order', began: 3 },
    ],
    goods: [GOOD],
    orders: [sold, refused, off],
    listed: new Map([
      ['sold', 'CONFIRMED'],
      ['refused', 'REJECTED'],
      ['off', 'CANCELLED'],
    ]),
    stock: [{ sku: GOOD.sku, on_hand: 8, held: 0, version: 5 }],
    holds: [hold('sold', 'SOLD'), hold('refused', 'REFUSED'), hold('off', 'RELEASED')],
    cartHolds: [],
    movements: [
      movement('OPENED', 10, 0, 'event'),
      movement('HELD', 0, 2, 'sold'),
      movement('HELD', 0, 2, 'off'),
      movement('SOLD', -2, -2, 'sold'),
      movement('RELEASED', 0, -2, 'off'),
    ],
    shown: new Map([[GOOD.sku, 8]]),
    payments: [payment('sold', 'CAPTURED', 2_098), payment('off', 'VOIDED', 0)],
    captures: [{ payment_id: 'payment-sold', amount: 2_098, state: 'SUCCEEDED' }],
    refunds: [],
    ledger: [{ payment_id: 'payment-sold', debit: 'clearing:card', credit: 'sales', amount: 2_098 }],
    books: {
      payment_intents: [intent('sold', 'succeeded', 2_098), intent('off', 'canceled', 0)],
      charges: [charge('sold', 2_098), charge('off', 0)],
      refunds: [],
      undelivered_notices: 0,
    },
    services: [
      events('orders', [
        ['OrderPlaced', 'sold', { order: { version: 1 } }],
        ['OrderConfirmed', 'sold', { order: { version: 2 } }],
        ['OrderPlaced', 'refused', { order: { version: 1 } }],
        ['OrderRejected', 'refused', { order: { version: 2 } }],
        ['OrderPlaced', 'off', { order: { version: 1 } }],
        ['OrderConfirmed', 'off', { order: { version: 2 } }],
        ['OrderCancelled', 'off', { order: { version: 3 } }],
      ]),
      events('inventory', [['StockLevelChanged', GOOD.sku, { available: 8 }]]),
    ],
    consumers: [
      {
        name: 'inventory-OrderConfirmed',
        stream: 'ORDERS',
        type: 'souk.orders.v1.OrderConfirmed',
        handled: ['OrderConfirmed-sold', 'OrderConfirmed-off'],
      },
    ],
    deadLetters: [],
    checkRuns: [{ check: 'orders orders-holds', compared: 3, error: '', differences: [] }],
    notifications: [mail('sold', 'ORDER_CONFIRMED'), mail('off', 'ORDER_CONFIRMED'), mail('off', 'ORDER_CANCELLED')],
    mails: ['T1-ORDER_CONFIRMED-N-sold.eml', 'T2-ORDER_CONFIRMED-N-off.eml', 'T3-ORDER_CANCELLED-N-off.eml'],
    crashes: [],
    sharings: [{ caller: 'gateway', service: 'orders', sent: [5_000, 4_000], busy: 80, shared: 70 }],
  };
}

function answer(facts: Partial<World['operations'][number]>): World['operations'][number] {
  return {
    kind: 'place order',
    actor: 'buyer',
    principal: 'guest',
    began: 1,
    ended: 2,
    outcome: 'ok',
    status: 0,
    ...facts,
  };
}

function order(id: string, state: string, kinds: string[]): World['orders'][number] {
  return {
    order_id: id,
    number: `N-${id}`,
    state,
    saga_phase: 'DONE',
    saga_error: null,
    saga_parked_at: null,
    refunded_amount: 0,
    lines: [{ sku: GOOD.sku, quantity: 2, price: '1049' }],
    total_amount: 2_098,
    currency: 'USD',
    payment_method: 'card',
    cart_id: `cart-${id}`,
    rejection: null,
    timeline: kinds.map((kind) => ({ kind, time: '2026-01-01T00:00:10Z' })),
    version: 3,
    claim_principal: 'guest',
    claim_key: `key-${id}`,
  };
}

function hold(order_id: string, state: string): World['holds'][number] {
  return { order_id, state, lines: [{ sku: GOOD.sku, quantity: 2 }] };
}

function movement(kind: string, on_hand_delta: number, held_delta: number, cause: string): World['movements'][number] {
  return { sku: GOOD.sku, kind, on_hand_delta, held_delta, cause };
}

function payment(order_id: string, state: string, captured: number): World['payments'][number] {
  return {
    payment_id: `payment-${order_id}`,
    order_id,
    state,
    method: 'card',
    amount: 2_098,
    currency: 'USD',
    captured_amount: captured,
    refunded_amount: 0,
    provider_reference: `pi_${order_id}`,
    version: 2,
  };
}

function intent(orderId: string, status: string, received: number): World['books']['payment_intents'][number] {
  const metadata = { souk_order_id: orderId };
  return { id: `pi_${orderId}`, amount: 2_098, amount_received: received, currency: 'usd', status, metadata };
}

function charge(orderId: string, captured: number): World['books']['charges'][number] {
  return {
    id: `ch_${orderId}`,
    payment_intent: `pi_${orderId}`,
    status: 'succeeded',
    captured: captured > 0,
    amount_captured: captured,
    amount_refunded: 0,
  };
}

function events(service: string, list: [name: string, aggregateId: string, data: object][]): World['services'][number] {
  const all = list.map(([name, aggregateId, data], index) => ({
    seq: index + 1,
    id: `${name}-${aggregateId}`,
    type: `souk.${service}.v1.${name}`,
    aggregateId,
    data: JSON.stringify(data),
  }));
  const outbox = all.map(({ id, type, aggregateId, data }) => ({ id, type, aggregate_id: aggregateId, data }));
  return { service, outbox, stream: all.map(({ seq, id, type, aggregateId }) => ({ seq, id, type, aggregateId })) };
}

function mail(order_id: string, kind: string): World['notifications'][number] {
  return { order_id, kind, state: 'SENT' };
}
