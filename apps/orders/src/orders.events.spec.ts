import { readFileSync } from 'node:fs';
import { PaymentRefunded, PaymentVoided } from '@souk/proto/payments/v1';
import { ANY_TIME, confirmedOrder, newOrder, pendingOrder } from '../test/order-builder.js';
import { cancelOrder, fulfillOrder, placeOrder, refundOrder, rejectOrder, type OrderEvent } from './domain/order.js';
import { stockShort } from './domain/rejections.js';
import { toOutboxEvent, toRefundedOrder, toVoidedOrder } from './orders.events.js';

const short = stockShort([{ sku: 'LAMP-BRASS', requested: 1, available: 0 }]);
const sent = fulfillOrder(confirmedOrder(), 'DHL 42', ANY_TIME);
const facts: OrderEvent[] = [
  ...placeOrder(newOrder(), ANY_TIME).events,
  { kind: 'OrderConfirmed', order: confirmedOrder() },
  ...rejectOrder(pendingOrder(), short, [], ANY_TIME).events,
  ...cancelOrder(confirmedOrder(), ANY_TIME).events,
  ...sent.events,
  ...refundOrder(sent.order, { refundedAmount: 4_299n, everything: false }, ANY_TIME).events,
];

function fixture(type: string): unknown {
  return JSON.parse(readFileSync(`${__dirname}/../../../proto/fixtures/${type}.json`, 'utf8'));
}

it.each(facts)('publishes $kind as its consumers know it', (fact) => {
  const { type, aggregateId, data } = toOutboxEvent(fact);
  expect(JSON.parse(JSON.stringify(data))).toEqual(fixture(type));
  expect(aggregateId).toBe(fact.order.orderId);
});

it('never publishes what pays', () => {
  expect(JSON.stringify(facts.map(toOutboxEvent))).not.toContain('pm_card_visa');
});

describe('of payments', () => {
  const orderId = '01903f2a-7c1e-7d4e-9b6a-3f1f5a2b9c10';
  const voided = PaymentVoided.fromJSON(fixture('souk.payments.v1.PaymentVoided'));
  const refunded = PaymentRefunded.fromJSON(fixture('souk.payments.v1.PaymentRefunded'));

  it('it is understood which order lost its payment', () => {
    expect(toVoidedOrder({ data: voided })).toBe(orderId);
  });

  it('it is understood how much went back', () => {
    const { refundedAmount = 0n, state } = refunded.payment ?? {};
    const everything = state === 'STATE_REFUNDED';
    expect(toRefundedOrder({ data: refunded })).toEqual({ orderId, refundedAmount, everything });
    expect(refundedAmount).toBeGreaterThan(0n);
    const partly = { ...refunded.payment!, refundedAmount: 100n, state: 'STATE_CAPTURED' as const };
    expect(toRefundedOrder({ data: { ...refunded, payment: partly } })).toMatchObject({ everything: false });
  });

  it('none is taken that does not say which order is meant', () => {
    expect(() => toVoidedOrder({ data: { payment: undefined } })).toThrow('payment.order_id');
  });
});
