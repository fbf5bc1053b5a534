import type Stripe from 'stripe';
import { authorization, psp } from './psp-fixture.ts';

let fixture: Awaited<ReturnType<typeof psp>>;
let stripe: Stripe;

beforeAll(async () => {
  fixture = await psp();
  stripe = fixture.stripe;
});
afterAll(() => fixture.close());

/** 10.00, of which several captures may be made. */
function authorize(paymentMethod = 'pm_card_visa'): Promise<Stripe.PaymentIntent> {
  return stripe.paymentIntents.create({
    ...authorization(paymentMethod, 1000),
    payment_method_options: { card: { request_multicapture: 'if_available' } },
  });
}

const capture = (id: string, amount: number, isFinal?: boolean) =>
  stripe.paymentIntents.capture(id, {
    amount_to_capture: amount,
    final_capture: isFinal,
    expand: ['latest_charge'],
  });

const expire = (id: string) =>
  fetch(`${fixture.sandbox.url}/_sandbox/expire`, { method: 'POST', body: JSON.stringify({ payment_intent: id }) });

describe('several captures of one intent', () => {
  it('keep the rest until the final one, which lets it go', async () => {
    const { id } = await authorize();
    expect(await capture(id, 700, false)).toMatchObject({
      status: 'requires_capture',
      amount_capturable: 300,
      amount_received: 700,
      latest_charge: { amount_captured: 700, captured: false },
    });
    expect(await capture(id, 200)).toMatchObject({
      status: 'succeeded',
      amount_capturable: 0,
      amount_received: 900,
      latest_charge: { amount_captured: 900, amount_refunded: 0, captured: true, refunded: false },
    });
    await expect(capture(id, 100)).rejects.toMatchObject({ code: 'payment_intent_unexpected_state' });
  });

  it('never take more than what is set aside', async () => {
    const { id } = await authorize();
    await capture(id, 700, false);
    await expect(capture(id, 301, false)).rejects.toMatchObject({ code: 'amount_too_large' });
    await expect(capture(id, 0, false)).rejects.toMatchObject({ param: 'amount_to_capture' });
  });

  it('end with a final capture of nothing, with a cancellation or with the time of the authorisation', async () => {
    const endings = [
      (id: string) => capture(id, 0, true),
      (id: string) => stripe.paymentIntents.cancel(id),
      (id: string) => expire(id),
    ];
    for (const end of endings) {
      const { id } = await authorize();
      await capture(id, 700, false);
      await end(id);
      const ended = await stripe.paymentIntents.retrieve(id);
      expect(ended).toMatchObject({ status: 'succeeded', amount_capturable: 0, amount_received: 700 });
    }
  });

  it('are refused for cards and callers without them, and nothing is captured by capturing nothing', async () => {
    const plain = await authorize('pm_card_credit_disableEnterpriseCardFeatures');
    const unasked = await stripe.paymentIntents.create(authorization());
    for (const { id } of [plain, unasked]) {
      await expect(capture(id, 100, false)).rejects.toMatchObject({ param: 'final_capture' });
    }
    await expect(capture(plain.id, 0, true)).rejects.toMatchObject({ param: 'amount_to_capture' });
  });

  it('may be refunded before the final one', async () => {
    const { id } = await authorize();
    await capture(id, 700, false);
    await stripe.refunds.create({ payment_intent: id, amount: 700 });
    await expect(stripe.refunds.create({ payment_intent: id, amount: 1 })).rejects.toMatchObject({ statusCode: 400 });
    expect(await capture(id, 300)).toMatchObject({
      amount_received: 1000,
      latest_charge: { amount_refunded: 700, refunded: false },
    });
  });
});

it('lets an authorisation go when its time is up', async () => {
  const { id } = await authorize();
  await expire(id);
  expect(await stripe.paymentIntents.retrieve(id)).toMatchObject({
    status: 'canceled',
    cancellation_reason: 'automatic',
  });
  expect((await expire(id)).status).toBe(400);
});
