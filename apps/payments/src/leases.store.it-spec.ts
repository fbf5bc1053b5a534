import { randomUUID } from 'node:crypto';
import type { OutboxRelay } from '@souk/outbox';
import { sql } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { authorizePayment, unchanged } from './domain/payment.js';
import { nextStep, requestCapture, type Step } from './domain/wishes.js';
import { LeaseLost, LeasesStore } from './leases.store.js';
import type { LeasedPayment } from './payments.rows.js';
import { PaymentsStore } from './payments.store.js';
import { aPayment, NOW, NO_CARD_LIMITS } from '../test/payment-builder.js';

const CARD = { token: 'pm_card_visa', email: 'ada@example.com', clientDigest: '', customerId: '' };
const OUTBOX = sql('test.outbox', 'SELECT aggregate_id FROM outbox WHERE aggregate_id = $1');
const EXPIRE = sql(
  'test.expire',
  `UPDATE payments SET lease_until = now() - interval '1 second', next_try_at = now() WHERE payment_id = $1`,
);
const LATE = sql(
  'test.late',
  `UPDATE payments SET capture_by = now() - interval '1 second', next_try_at = now() WHERE payment_id = $1`,
);

let postgres: TestDatabase;
let store: PaymentsStore;
let leases: LeasesStore;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/payments/migrations' });
  const relay = { wake: () => undefined } as unknown as OutboxRelay;
  store = new PaymentsStore(postgres.database, relay);
  leases = new LeasesStore(postgres.database, relay, 3_600_000, NO_CARD_LIMITS);
});
afterAll(() => postgres.drop());

const RELEASE = { release: { retryAfterMs: undefined } };
const opened = async () => (await leases.open(aPayment(randomUUID(), randomUUID()), CARD))!;
const authorize = ({ payment }: LeasedPayment) => authorizePayment(payment, `pi_${payment.paymentId}`, NOW);

async function authorized(): Promise<LeasedPayment> {
  const lease = await opened();
  return (await leases.save(lease, { change: authorize(lease), ...RELEASE }))!;
}

const claimed = async ({ payment }: LeasedPayment) =>
  (await leases.claimDue(1_000)).filter((it) => it.payment.paymentId === payment.paymentId);

describe('opening', () => {
  it('gives an order one payment, however many ask at once (F1)', async () => {
    const orderId = randomUUID();
    const attempts = await Promise.all(
      Array.from({ length: 20 }, () => leases.open(aPayment(orderId, randomUUID()), CARD)),
    );
    const made = attempts.filter((lease) => lease !== undefined);
    expect(made).toHaveLength(1);
    expect(await store.get(orderId)).toEqual(made[0]?.payment);
  });
});

describe('leases', () => {
  it('are held by one at a time', async () => {
    const { payment } = await opened();
    expect(await leases.take(payment.orderId, 60)).toBeUndefined();
    expect(await leases.takeByIntent('pi_none', payment.paymentId)).toBe('busy');
    expect(await leases.takeByIntent('pi_none', randomUUID())).toBe('unknown');
  });

  it('keep a process that lost its lease from writing (F20)', async () => {
    const lease = await opened();
    await postgres.database.query(EXPIRE, [lease.payment.paymentId]);
    const thief = await leases.take(lease.payment.orderId);
    expect(thief?.epoch).toBe(lease.epoch + 1);
    expect(await leases.save(lease, { change: authorize(lease) })).toBeUndefined();
    expect(await leases.begin(lease, { kind: 'authorize' })).toBeUndefined();
    await expect(leases.renew(lease)).rejects.toThrow(LeaseLost);
    expect((await store.get(lease.payment.orderId))?.state).toBe('PROCESSING');
    expect(await postgres.database.query(OUTBOX, [lease.payment.paymentId])).toEqual([]);
  });

  it('end with the change, and wipe what named the card', async () => {
    const lease = await opened();
    const change = authorize(lease);
    const saved = await leases.save(lease, { change, ...RELEASE });
    expect(saved).toMatchObject({ token: '', email: '', payment: change.payment });
    expect(await leases.take(lease.payment.orderId, 0)).toBeDefined();
  });

  it('write nothing that does not know of the latest wish', async () => {
    const lease = await opened();
    await store.requestCancel(lease.payment.orderId);
    expect(await leases.save(lease, { change: authorize(lease), ...RELEASE })).toBeUndefined();
    const renewed = await leases.renew(lease);
    expect(renewed).toMatchObject({ epoch: lease.epoch, payment: { cancelRequested: true, state: 'PROCESSING' } });
    expect(await leases.save(renewed, { change: authorize(renewed), ...RELEASE })).toMatchObject({
      payment: { state: 'AUTHORIZED', cancelRequested: true },
    });
  });
});

describe('attempts', () => {
  const authorizing: Step = { kind: 'authorize' };

  it('keep their number until the key is spent', async () => {
    const lease = await opened();
    const first = await leases.begin(lease, authorizing);
    const again = await leases.begin(lease, authorizing);
    expect([first?.attempt, again?.attempt]).toEqual([1, 1]);
    const call = { attempt: again!, outcome: 'spent', detail: '' };
    await leases.save(lease, { change: unchanged(lease.payment), call });
    expect((await leases.begin(lease, authorizing))?.attempt).toBe(2);
  });

  it('put the capture that an event wants on record before anybody is asked for it', async () => {
    const { payment } = await authorized();
    await store.requestCaptures([payment.orderId]);
    const lease = (await leases.take(payment.orderId))!;
    const step = nextStep(lease.payment, { refundId: randomUUID(), now: NOW })!;
    expect(await leases.begin(lease, step)).toMatchObject({ operation: 'capture-1', attempt: 1 });
    expect((await store.get(payment.orderId))?.captures).toMatchObject([
      { sequence: 1, amount: 1999n, final: true, state: 'PROCESSING' },
    ]);
  });

  it('are not begun where a wish came meanwhile: a sequence is never given to two captures', async () => {
    const { payment } = await authorized();
    await store.requestCaptures([payment.orderId]);
    const lease = (await leases.take(payment.orderId))!;
    const step = nextStep(lease.payment, { refundId: randomUUID(), now: NOW })!;
    const claim = { principal: 'staff', operation: 'test', key: randomUUID(), fingerprint: '' };
    await store.requestCapture(claim, payment.orderId, (it) => requestCapture(it, 500n, true, NOW));
    expect(await leases.begin(lease, step)).toBeUndefined();
    const renewed = await leases.renew(lease);
    expect(nextStep(renewed.payment, { refundId: randomUUID(), now: NOW })).toMatchObject({
      kind: 'capture',
      capture: { sequence: 1, amount: 500n },
    });
  });
});

describe('what is due', () => {
  it('is claimed by one of many', async () => {
    const lease = await authorized();
    expect(await store.requestCaptures([lease.payment.orderId])).toEqual([]);
    const claims = await Promise.all(Array.from({ length: 8 }, () => claimed(lease)));
    expect(claims.flat()).toMatchObject([{ payment: { captureRequested: true } }]);
  });

  it('comes back to a payment whose process died (F16)', async () => {
    const lease = await opened();
    await postgres.database.query(EXPIRE, [lease.payment.paymentId]);
    expect(await claimed(lease)).toHaveLength(1);
  });

  it('is a card payment that nobody captured in time, by the clock of the database (F26, F51)', async () => {
    const lease = await authorized();
    expect(await claimed(lease)).toEqual([]);
    await postgres.database.query(LATE, [lease.payment.paymentId]);
    expect(await claimed(lease)).toMatchObject([{ payment: { lapsed: true } }]);
  });
});
