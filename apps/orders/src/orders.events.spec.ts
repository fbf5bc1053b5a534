import { readFileSync } from 'node:fs';
import { EmailVerified } from '@souk/proto/identity/v1';
import { PaymentRefunded, PaymentVoided } from '@souk/proto/payments/v1';
import { ANY_TIME, confirmedOrder, newOrder, pendingOrder } from '../test/order-builder.js';
import { cancelOrder, fulfillOrder, placeOrder, refundOrder, rejectOrder, type OrderEvent } from './domain/order.js';
import { stockShort } from './domain/rejections.js';
import { toOutboxEvent, toProvedAddress, toRefundedOrder, toVoidedOrder } from './orders.events.js';

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

it('understands who proved which address, and when', () => {
  const verified = EmailVerified.fromJSON(fixture('souk.identity.v1.EmailVerified'));
  expect(toProvedAddress({ data: verified })).toEqual({
    userId: '0198c2f4-6a00-7c3e-9d0a-5b1f3e7a9c21',
    email: 'Ada@Example.com',
    time: new Date('2026-01-15T09:42:00.500Z'),
  });
  expect(() => toProvedAddress({ data: { ...verified, userId: '' } })).toThrow('user_id');
  expect(() => toProvedAddress({ data: { ...verified, verifyTime: undefined } })).toThrow('verify_time');
});
