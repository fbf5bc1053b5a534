import { authorization, psp, stripeAt } from './psp-fixture.ts';

let fixture: Awaited<ReturnType<typeof psp>>;
beforeEach(async () => (fixture = await psp()));
afterEach(() => fixture.close());

const keyed = (idempotencyKey: string) => ({ idempotencyKey });
const impatient = () => stripeAt(fixture.sandbox, { timeout: 300 });

it('charges and never answers, and replays the charge to the same key', async () => {
  const call = () => impatient().paymentIntents.create(authorization('pm_sandbox_timeoutAfterCharge'), keyed('a'));
  await expect(call()).rejects.toMatchObject({ type: 'StripeConnectionError' });
  expect(fixture.sandbox.ledger().charges).toHaveLength(1);
  await expect(call()).resolves.toMatchObject({ status: 'requires_capture' });
  expect(fixture.sandbox.ledger().charges).toHaveLength(1);
});

it('never answers and charges nothing, then works', async () => {
  const call = () => impatient().paymentIntents.create(authorization('pm_sandbox_timeoutBeforeCharge'), keyed('b'));
  await expect(call()).rejects.toMatchObject({ type: 'StripeConnectionError' });
  expect(fixture.sandbox.ledger().charges).toHaveLength(0);
  await expect(call()).resolves.toMatchObject({ status: 'requires_capture' });
  expect(fixture.sandbox.ledger().charges).toHaveLength(1);
});

it('fails with 500 once per key, then works', async () => {
  const call = () => fixture.stripe.paymentIntents.create(authorization('pm_sandbox_error500'), keyed('c'));
  await expect(call()).rejects.toMatchObject({ type: 'StripeAPIError', statusCode: 500 });
  await expect(call()).resolves.toMatchObject({ status: 'requires_capture' });
});

it('answers late', async () => {
  const started = Date.now();
  await fixture.stripe.paymentIntents.create(authorization('pm_sandbox_slow_300'));
  expect(Date.now() - started).toBeGreaterThanOrEqual(295);
});

it('declines, limits and fails as often as the control API says, and only the calls it names', async () => {
  const { stripe, sandbox } = fixture;
  const control = (method: string, body?: object) =>
    fetch(`${sandbox.url}/_sandbox/faults`, { method, body: body && JSON.stringify(body) });
  await control('POST', { kind: 'decline', next: 1 });
  await expect(stripe.paymentIntents.create(authorization())).rejects.toMatchObject({ code: 'card_declined' });
  await control('POST', { kind: 'rate_limit', next: 1 });
  await expect(stripe.paymentIntents.create(authorization())).rejects.toMatchObject({ statusCode: 429 });
  await control('POST', { kind: 'error_500', rate: 1, operation: 'capture' });
  const intent = await stripe.paymentIntents.create(authorization());
  await expect(stripe.paymentIntents.capture(intent.id)).rejects.toMatchObject({ statusCode: 500 });
  await control('DELETE');
  await expect(stripe.paymentIntents.capture(intent.id)).resolves.toMatchObject({ status: 'succeeded' });
  expect((await control('POST', { kind: 'earthquake' })).status).toBe(400);
});

it('replays a stored 500 for ever, as Stripe does', async () => {
  fixture.sandbox.addFault({ kind: 'error_500', next: 1, stored: true });
  const call = () => fixture.stripe.paymentIntents.create(authorization(), keyed('d'));
  await expect(call()).rejects.toMatchObject({ statusCode: 500 });
  await expect(call()).rejects.toMatchObject({ statusCode: 500, headers: { 'idempotent-replayed': 'true' } });
});
