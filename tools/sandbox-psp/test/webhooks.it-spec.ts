import type Stripe from 'stripe';
import { authorization, psp } from './psp-fixture.ts';
import { startSubscriber, until } from './subscriber.ts';

const SECRET = 'whsec_test';

async function setUp(refusals = 0) {
  const subscriber = await startSubscriber(refusals);
  const fixture = await psp({ webhookUrl: subscriber.url, webhookSecret: SECRET });
  const received = (): Stripe.Event[] =>
    subscriber.notices.map(({ payload, signature }) =>
      fixture.stripe.webhooks.constructEvent(payload, signature, SECRET),
    );
  const close = async () => {
    await fixture.close();
    await subscriber.close();
  };
  return { ...fixture, received, close };
}

it('sends a notice of each change, which the library verifies', async () => {
  const { stripe, received, close } = await setUp();
  const intent = await stripe.paymentIntents.create(authorization());
  await stripe.paymentIntents.capture(intent.id);
  await stripe.refunds.create({ payment_intent: intent.id });
  const other = await stripe.paymentIntents.create(authorization());
  await stripe.paymentIntents.cancel(other.id);
  await stripe.paymentIntents.create(authorization('pm_card_chargeDeclined')).catch(() => undefined);
  await until(() => received().length === 6);
  expect(
    received()
      .map(({ type }) => type)
      .sort(),
  ).toEqual([
    'charge.refunded',
    'payment_intent.amount_capturable_updated',
    'payment_intent.amount_capturable_updated',
    'payment_intent.canceled',
    'payment_intent.payment_failed',
    'payment_intent.succeeded',
  ]);
  await close();
});

it('sends a refused notice again', async () => {
  const { stripe, sandbox, received, close } = await setUp(1);
  await stripe.paymentIntents.create(authorization());
  await until(() => received().length === 1);
  await until(() => sandbox.ledger().undelivered_notices === 0);
  await close();
});

it('sends at once what waits for its next try, when told to', async () => {
  const { stripe, sandbox, received, close } = await setUp();
  sandbox.addFault({ kind: 'late_webhook', next: 1, delayMs: 60_000 });
  await stripe.paymentIntents.create(authorization());
  expect(sandbox.ledger().undelivered_notices).toBe(1);
  const answer = await fetch(`${sandbox.url}/_sandbox/notices/send`, { method: 'POST' });
  expect(answer.status).toBe(200);
  await until(() => sandbox.ledger().undelivered_notices === 0);
  expect(received()).toHaveLength(1);
  await close();
});

it('sends a notice twice or late when told to', async () => {
  const { stripe, sandbox, received, close } = await setUp();
  sandbox.addFault({ kind: 'duplicate_webhook', next: 1 });
  await stripe.paymentIntents.create(authorization());
  await until(() => received().length === 2);
  expect(received()[0]?.id).toBe(received()[1]?.id);
  sandbox.addFault({ kind: 'late_webhook', next: 1, delayMs: 300 });
  await stripe.paymentIntents.create(authorization());
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(received()).toHaveLength(2);
  await until(() => received().length === 3);
  await close();
});
