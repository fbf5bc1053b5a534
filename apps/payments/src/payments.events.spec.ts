import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OrderConfirmed } from '@souk/proto/orders/v1';
import { aCapture, aPayment, aRefund } from '../test/payment-builder.js';
import {
  authorizePayment,
  capturePart,
  declinePayment,
  disputePayment,
  refundPart,
  voidPayment,
  type Change,
} from './domain/payment.js';
import { toOrdersToCapture, toOutboxEvent } from './payments.events.js';

const FIXTURES = join(__dirname, '../../../proto/fixtures');
const NOW = new Date('2030-01-02T03:04:05.678Z');

const opened = {
  ...aPayment('01903f2a-7c1e-7d4e-9b6a-3f1f5a2b9c10', '01903f2a-7c2b-7a01-8c3d-5e6f7a8b9c0d', 'card', 3998n),
  createTime: NOW,
};
const authorized = authorizePayment(opened, 'pi_3PabcdEFGHijklMN0opqrstu', NOW);
const captured = capturePart(authorized.payment, aCapture({ amount: 3998n, createTime: NOW }), true, NOW);
const refund = aRefund({ amount: 3998n, reason: 'The parcel never came.', reference: 're_3Pabcd', createTime: NOW });
const changes: Change[] = [
  authorized,
  declinePayment(opened, 'pi_3PabcdEFGHijklMN0opqrstu', 'insufficient_funds', NOW),
  captured,
  voidPayment(authorized.payment, NOW),
  refundPart(captured.payment, refund, NOW),
  disputePayment(captured.payment, 3998n, NOW),
];
const facts = changes.flatMap(({ events }) => events);

describe('what is published', () => {
  it.each(facts.map((fact) => [fact.kind, fact] as const))('%s is as its fixture says', (kind, fact) => {
    const { type, aggregateId, data } = toOutboxEvent(fact);
    expect({ type, aggregateId }).toEqual({ type: `souk.payments.v1.${kind}`, aggregateId: opened.paymentId });
    expect(data).toEqual(fixture(type, data));
  });
});

describe('what is consumed', () => {
  const confirmed = OrderConfirmed.fromJSON(fixture('souk.orders.v1.OrderConfirmed'));

  it('takes the money of an order that is paid by card', () => {
    const data = { order: { ...confirmed.order!, paymentMethod: 'card' } };
    expect(toOrdersToCapture([{ data }])).toEqual([confirmed.order?.orderId]);
  });

  it('leaves to people what is paid by hand', () => {
    const data = { order: { ...confirmed.order!, paymentMethod: 'manual' } };
    expect(toOrdersToCapture([{ data }])).toEqual([]);
  });
});

/** A fixture that is not there yet is written, to be committed. */
function fixture(type: string, data?: unknown): unknown {
  const path = join(FIXTURES, `${type}.json`);
  if (!existsSync(path) && data) writeFileSync(path, `${JSON.stringify(data, null, 2)}\n`);
  return JSON.parse(readFileSync(path, 'utf8'));
}
