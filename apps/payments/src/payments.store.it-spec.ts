import { randomUUID } from 'node:crypto';
import type { OutboxRelay } from '@souk/outbox';
import { sql } from '@souk/postgres';
import { eventually, testDatabase, type TestDatabase } from '@souk/testing';
import { authorizePayment, capturePayment, voidInAdvance } from './domain/payment.js';
import { LeaseLost, PaymentsStore } from './payments.store.js';
import { aPayment, anAuthorization, NOW } from '../test/payment-builder.js';

const CARD = { token: 'pm_card_visa', email: 'ada@example.com' };
const OUTBOX = sql('test.outbox', 'SELECT type, aggregate_id FROM outbox ORDER BY sequence');
const EXPIRE = sql(
  'test.expire',
  `UPDATE payments SET lease_until = now() - interval '1 second' WHERE payment_id = $1`,
);
const SET_CAPTURED = sql('test.captured', 'UPDATE payments SET captured_amount = $2 WHERE payment_id = $1');
const COUNT = sql('test.count', 'SELECT count(*)::int AS payments FROM payments');

let postgres: TestDatabase;
let store: PaymentsStore;
let wakes = 0;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/payments/migrations' });
  const relay: Pick<OutboxRelay, 'wake'> = { wake: () => (wakes += 1) };
  store = new PaymentsStore(postgres.database, relay as OutboxRelay);
});
afterAll(() => postgres.drop());

const open = () => store.open(aPayment(randomUUID(), randomUUID()), CARD);
const opened = async () => (await open())!;

describe('opening', () => {
  it('gives an order one payment, however many ask at once', async () => {
    const orderId = randomUUID();
    const attempts = await Promise.all(
      Array.from({ length: 20 }, () => store.open(aPayment(orderId, randomUUID()), CARD)),
    );
    const made = attempts.filter((lease) => lease !== undefined);
    expect(made).toHaveLength(1);
    expect(await store.get(orderId)).toEqual(made[0]?.payment);
  });

  it('writes many payments by hand in one go, each with its event, and gives back those that were there', async () => {
    const before = await opened();
    const { orderId } = before.payment;
    const fresh = Array.from({ length: 50 }, () => anAuthorization(randomUUID(), randomUUID()));
    const twice = anAuthorization(fresh[0]!.payment.orderId, randomUUID());
    const late = anAuthorization(orderId, randomUUID());
    wakes = 0;
    const payments = await store.insertMany([...fresh, twice, late]);
    expect(wakes).toBe(1);
    expect(payments.slice(0, 50)).toEqual(fresh.map(({ payment }) => payment));
    expect(payments[50]?.orderId).toBe(twice.payment.orderId);
    expect(payments[51]).toEqual(before.payment);
    const events = await postgres.database.query<{ aggregate_id: string }>(OUTBOX);
    const told = new Set(events.map((event) => event.aggregate_id));
    expect(fresh.filter(({ payment }) => told.has(payment.paymentId))).toHaveLength(50);
    expect(told.has(late.payment.paymentId)).toBe(false);
  });
});

describe('leases', () => {
  it('are held by one at a time', async () => {
    const { payment } = await opened();
    expect(await store.takeLease(payment.orderId, 60)).toBeUndefined();
    expect(await store.takeLeaseByIntent('pi_none', payment.paymentId)).toBe('busy');
    expect(await store.takeLeaseByIntent('pi_none', randomUUID())).toBe('unknown');
  });

  it('keep a process that lost its lease from writing', async () => {
    const lease = await opened();
    await postgres.database.query(EXPIRE, [lease.payment.paymentId]);
    const thief = await store.takeLease(lease.payment.orderId);
    expect(thief?.epoch).toBe(lease.epoch + 1);
    const change = authorizePayment(lease.payment, 'pi_late', NOW);
    await expect(store.save(lease, { change })).rejects.toThrow(LeaseLost);
    await expect(store.beginAttempt(lease, 'authorize')).rejects.toThrow(LeaseLost);
    expect((await store.get(lease.payment.orderId))?.state).toBe('PROCESSING');
    expect(await postgres.database.query(OUTBOX)).not.toContainEqual(
      expect.objectContaining({ aggregate_id: lease.payment.paymentId }),
    );
  });

  it('end with the change, and wipe what named the card', async () => {
    const lease = await opened();
    const change = authorizePayment(lease.payment, 'pi_1', NOW);
    const saved = await store.save(lease, { change, release: { retryAfterMs: undefined } });
    expect(saved).toMatchObject({ released: true, lease: { token: '', email: '', payment: change.payment } });
    expect(await store.takeLease(lease.payment.orderId, 0)).toBeDefined();
  });

  it('do not end over a wish that came meanwhile', async () => {
    const lease = await opened();
    await store.requestCancel(lease.payment.orderId);
    const change = authorizePayment(lease.payment, 'pi_1', NOW);
    const saved = await store.save(lease, { change, release: { retryAfterMs: undefined } });
    expect(saved).toMatchObject({
      released: false,
      lease: { payment: { state: 'AUTHORIZED', cancelRequested: true } },
    });
  });
});

describe('attempts', () => {
  it('keep their number until the key is spent', async () => {
    const lease = await opened();
    const first = await store.beginAttempt(lease, 'authorize');
    const again = await store.beginAttempt(lease, 'authorize');
    expect([first.attempt, again.attempt]).toEqual([1, 1]);
    const change = { payment: lease.payment, events: [] };
    await store.save(lease, { change, call: { attempt: again, outcome: 'spent', detail: '' } });
    expect((await store.beginAttempt(lease, 'authorize')).attempt).toBe(2);
  });
});

describe('what is due', () => {
  it('is claimed by one of many', async () => {
    const lease = await opened();
    const change = authorizePayment(lease.payment, 'pi_2', NOW);
    await store.save(lease, { change, release: { retryAfterMs: undefined } });
    expect(await store.requestCaptures([lease.payment.orderId, randomUUID()])).toHaveLength(1);
    const claims = await Promise.all(Array.from({ length: 8 }, () => store.claimDue(10)));
    const mine = claims.flat().filter(({ payment }) => payment.paymentId === lease.payment.paymentId);
    expect(mine).toMatchObject([{ payment: { captureRequested: true } }]);
  });

  it('does not include the capture of what was called off', async () => {
    const [payment] = await store.insertMany([voidInAdvance(randomUUID(), randomUUID(), NOW)]);
    await store.requestCaptures([payment!.orderId]);
    const claimed = await store.claimDue(100);
    expect(claimed.map((lease) => lease.payment.orderId)).not.toContain(payment!.orderId);
    expect(await store.get(payment!.orderId)).toMatchObject({ captureRequested: false, state: 'VOIDED' });
  });

  it('comes back to a payment whose process died', async () => {
    const lease = await opened();
    await postgres.database.query(EXPIRE, [lease.payment.paymentId]);
    await postgres.database.query(sql('test.due', 'UPDATE payments SET next_try_at = now() WHERE payment_id = $1'), [
      lease.payment.paymentId,
    ]);
    await eventually(async () => {
      const claimed = await store.claimDue(100);
      expect(claimed.map(({ payment }) => payment.paymentId)).toContain(lease.payment.paymentId);
    });
  });
});

it('cannot hold more captured than the amount, or more refunded than captured, whatever the code does', async () => {
  const lease = await opened();
  const authorized = authorizePayment(lease.payment, 'pi_3', NOW).payment;
  const captured = capturePayment(authorized, 1999n, NOW);
  await store.save(lease, { change: captured });
  await expect(
    store.save(lease, { change: { payment: { ...captured.payment, refundedAmount: 2000n }, events: [] } }),
  ).rejects.toThrow();
  await expect(postgres.database.query(SET_CAPTURED, [lease.payment.paymentId, 2000n])).rejects.toThrow();
  await expect(postgres.database.query(SET_CAPTURED, [lease.payment.paymentId, -1n])).rejects.toThrow();
  const [{ payments } = { payments: 0 }] = await postgres.database.query<{ payments: number }>(COUNT);
  expect(payments).toBeGreaterThan(0);
});
