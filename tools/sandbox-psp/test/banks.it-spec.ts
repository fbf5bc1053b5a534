import type Stripe from 'stripe';
import { authorization, psp } from './psp-fixture.ts';
import { startSubscriber, until } from './subscriber.ts';

let fixture: Awaited<ReturnType<typeof psp>>;
let subscriber: Awaited<ReturnType<typeof startSubscriber>>;
let stripe: Stripe;

beforeAll(async () => {
  subscriber = await startSubscriber();
  fixture = await psp({ webhookUrl: subscriber.url });
  stripe = fixture.stripe;
});
afterAll(async () => {
  await fixture.close();
  await subscriber.close();
});

async function tell<T>(path: string, body: object): Promise<T> {
  const answer = await fetch(`${fixture.sandbox.url}/_sandbox/${path}`, { method: 'POST', body: JSON.stringify(body) });
  return (await answer.json()) as T;
}

const charge = (amount = 1999) =>
  stripe.paymentIntents.create({ ...authorization('pm_card_visa', amount), capture_method: 'automatic' });

const typesOf = (id: string) =>
  subscriber.notices
    .map(({ payload }) => JSON.parse(payload) as Stripe.Event)
    .filter(({ data }) => (data.object as { id: string }).id === id)
    .map(({ type }) => type)
    .sort();

describe('a dispute', () => {
  it('takes money back, stands in the way of refunds, and is told', async () => {
    const { id } = await charge();
    const dispute = await tell<Stripe.Dispute>('disputes', { payment_intent: id, amount: 500 });
    const { data } = await stripe.disputes.list({ payment_intent: id });
    expect(data).toMatchObject([{ id: dispute.id, amount: 500, status: 'needs_response' }]);
    const { latest_charge } = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
    expect(latest_charge).toMatchObject({ disputed: true });
    await expect(stripe.refunds.create({ payment_intent: id })).rejects.toMatchObject({ code: 'charge_disputed' });
    await until(() => typesOf(dispute.id).length === 2);
    expect(typesOf(dispute.id)).toEqual(['charge.dispute.created', 'charge.dispute.funds_withdrawn']);
  });

  it('that is won gives the money back', async () => {
    const { id } = await charge();
    const dispute = await tell<Stripe.Dispute>('disputes', { payment_intent: id });
    await tell('disputes/close', { dispute: dispute.id, status: 'won' });
    expect(await stripe.disputes.retrieve(dispute.id)).toMatchObject({ amount: 1999, status: 'won' });
    await until(() => typesOf(dispute.id).includes('charge.dispute.funds_reinstated'));
    await expect(stripe.refunds.create({ payment_intent: id })).resolves.toMatchObject({ status: 'succeeded' });
  });

  it('is refused over more than there is', async () => {
    const { id } = await charge(100);
    expect(await tell('disputes', { payment_intent: id, amount: 101 })).toHaveProperty('error');
  });
});

describe('a pending refund', () => {
  const pending = async (intentId: string) => {
    fixture.sandbox.addFault({ kind: 'pending_refund', next: 1 });
    const refund = await stripe.refunds.create({ payment_intent: intentId, amount: 500 });
    expect(refund.status).toBe('pending');
    return refund;
  };
  const refundedOf = async (id: string) => {
    const { latest_charge: it } = await stripe.paymentIntents.retrieve(id, { expand: ['latest_charge'] });
    return typeof it === 'object' ? it?.amount_refunded : undefined;
  };

  it('counts until the bank refuses it', async () => {
    const { id } = await charge();
    const refund = await pending(id);
    expect(await refundedOf(id)).toBe(500);
    await tell('refunds/end', { refund: refund.id, status: 'failed' });
    expect(await stripe.refunds.retrieve(refund.id)).toMatchObject({ status: 'failed' });
    expect(await refundedOf(id)).toBe(0);
    await until(() => typesOf(refund.id).includes('refund.failed'));
  });

  it('stays when the bank takes it', async () => {
    const { id } = await charge();
    const refund = await pending(id);
    await tell('refunds/end', { refund: refund.id, status: 'succeeded' });
    expect(await refundedOf(id)).toBe(500);
    await until(() => typesOf(refund.id).includes('refund.updated'));
  });
});

it('loses a notice when told to', async () => {
  fixture.sandbox.addFault({ kind: 'lost_webhook', next: 1 });
  const lost = await charge();
  const told = await charge();
  await until(() => typesOf(told.id).length === 1);
  expect(typesOf(lost.id)).toEqual([]);
});

it('refuses captures, cancellations and refunds when told to', async () => {
  const intent = await stripe.paymentIntents.create(authorization());
  fixture.sandbox.addFault({ kind: 'decline', next: 1, operation: 'capture' });
  await expect(stripe.paymentIntents.capture(intent.id)).rejects.toMatchObject({ statusCode: 400 });
  await stripe.paymentIntents.capture(intent.id);
  fixture.sandbox.addFault({ kind: 'decline', next: 1, operation: 'refund' });
  await expect(stripe.refunds.create({ payment_intent: intent.id })).rejects.toMatchObject({ statusCode: 400 });
});
