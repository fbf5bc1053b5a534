import type Stripe from 'stripe';
import { authorization, psp, stripeAt } from './psp-fixture.ts';

let fixture: Awaited<ReturnType<typeof psp>>;
let stripe: Stripe;

beforeAll(async () => {
  fixture = await psp();
  stripe = fixture.stripe;
});
afterAll(() => fixture.close());

async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: Stripe.errors.StripeError) => thrown,
  );
  if (!error) throw new Error('The call was not refused.');
  return error;
}

describe('payment intents', () => {
  it('sets money aside, takes a part of it and gives it back in parts', async () => {
    const intent = await stripe.paymentIntents.create(authorization());
    expect(intent).toMatchObject({ status: 'requires_capture', amount_capturable: 1999, amount_received: 0 });
    expect(intent.metadata).toEqual({ souk_payment_id: 'p-1', souk_order_id: 'o-1' });

    const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 1500 });
    expect(captured).toMatchObject({ status: 'succeeded', amount_received: 1500, amount_capturable: 0 });

    const first = await stripe.refunds.create({ payment_intent: intent.id, amount: 500 });
    const rest = await stripe.refunds.create({ payment_intent: intent.id });
    expect([first.amount, rest.amount]).toEqual([500, 1000]);
    expect(await refusal(stripe.refunds.create({ payment_intent: intent.id }))).toMatchObject({
      statusCode: 400,
      code: 'charge_already_refunded',
    });
    const { latest_charge } = await stripe.paymentIntents.retrieve(intent.id, { expand: ['latest_charge'] });
    expect(latest_charge).toMatchObject({ amount_captured: 1500, amount_refunded: 1500, refunded: true });
    expect((await stripe.refunds.list({ payment_intent: intent.id })).data).toHaveLength(2);
    expect(await stripe.refunds.retrieve(first.id)).toEqual(expect.objectContaining({ amount: 500 }));
  });

  it('takes the money at once where nobody asks for a later capture', async () => {
    const intent = await stripe.paymentIntents.create({ ...authorization(), capture_method: 'automatic' });
    expect(intent).toMatchObject({ status: 'succeeded', amount_received: 1999 });
  });

  it('lets an intent be confirmed later', async () => {
    const intent = await stripe.paymentIntents.create({ amount: 700, currency: 'eur', capture_method: 'manual' });
    expect(intent.status).toBe('requires_payment_method');
    const confirmed = await stripe.paymentIntents.confirm(intent.id, { payment_method: 'pm_card_mastercard' });
    expect(confirmed.status).toBe('requires_capture');
  });

  it('cancels what is set aside, once, and never what was taken', async () => {
    const intent = await stripe.paymentIntents.create(authorization());
    expect(await stripe.paymentIntents.cancel(intent.id)).toMatchObject({ status: 'canceled', amount_capturable: 0 });
    const again = await refusal(stripe.paymentIntents.cancel(intent.id));
    expect(again).toMatchObject({ statusCode: 400, code: 'payment_intent_unexpected_state' });
    expect(again.payment_intent).toMatchObject({ id: intent.id, status: 'canceled' });
    expect(await refusal(stripe.paymentIntents.capture(intent.id))).toMatchObject({
      code: 'payment_intent_unexpected_state',
    });
  });

  it.each([
    ['pm_card_chargeDeclined', 'card_declined', 'generic_decline'],
    ['pm_card_chargeDeclinedInsufficientFunds', 'card_declined', 'insufficient_funds'],
    ['pm_card_chargeDeclinedExpiredCard', 'expired_card', ''],
    ['pm_card_chargeDeclinedIncorrectCvc', 'incorrect_cvc', ''],
    ['pm_card_chargeDeclinedProcessingError', 'processing_error', ''],
  ])('refuses %s as Stripe does', async (paymentMethod, code, declineCode) => {
    const error = await refusal(stripe.paymentIntents.create(authorization(paymentMethod)));
    expect(error).toMatchObject({ type: 'StripeCardError', statusCode: 402, code, decline_code: declineCode });
    expect(error.payment_intent).toMatchObject({ status: 'requires_payment_method', amount_capturable: 0 });
  });

  it('asks for authentication, or refuses where nobody can be asked', async () => {
    const params = authorization('pm_card_authenticationRequired');
    expect((await stripe.paymentIntents.create(params)).status).toBe('requires_action');
    const refused = await refusal(stripe.paymentIntents.create({ ...params, error_on_requires_action: true }));
    expect(refused).toMatchObject({ statusCode: 402, code: 'authentication_required' });
  });

  it('refuses what it does not know, and callers without a key', async () => {
    expect(await refusal(stripe.paymentIntents.create(authorization('pm_nobody')))).toMatchObject({
      statusCode: 400,
      code: 'resource_missing',
      param: 'payment_method',
    });
    expect(await refusal(stripe.paymentIntents.retrieve('pi_nobody'))).toMatchObject({ statusCode: 404 });
    expect(await refusal(stripe.paymentIntents.create({ ...authorization(), amount: -1 }))).toMatchObject({
      type: 'StripeInvalidRequestError',
      param: 'amount',
    });
    const live = stripeAt(fixture.sandbox, { apiKey: 'sk_live_1' });
    expect(await refusal(live.paymentIntents.list())).toMatchObject({ type: 'StripeAuthenticationError' });
    expect((await fetch(`${fixture.sandbox.url}/v1/payment_intents`)).status).toBe(401);
  });

  it('lists the newest first, in pages, and finds an intent by its metadata', async () => {
    const made: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      const metadata = { souk_payment_id: `search-${name}` };
      made.unshift((await stripe.paymentIntents.create({ ...authorization(), metadata })).id);
    }
    const listed = await stripe.paymentIntents.list({ limit: 2 });
    expect(listed).toMatchObject({ has_more: true });
    const next = await stripe.paymentIntents.list({ limit: 1, starting_after: made[1] });
    expect([...listed.data, ...next.data].map(({ id }) => id)).toEqual(made);
    const [newest] = (await stripe.paymentIntents.list({ limit: 1, expand: ['data.latest_charge'] })).data;
    expect(newest?.latest_charge).toMatchObject({ object: 'charge', amount_refunded: 0 });
    const future = { created: { gte: Math.floor(Date.now() / 1000) + 60 } };
    expect((await stripe.paymentIntents.list(future)).data).toEqual([]);
    const found = await stripe.paymentIntents.search({ query: `metadata['souk_payment_id']:'search-b'` });
    expect(found.data.map(({ id }) => id)).toEqual([made[1]]);
  });
});
