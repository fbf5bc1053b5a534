import { randomUUID } from 'node:crypto';
import type { OutboxRelay } from '@souk/outbox';
import { sql } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import {
  authorizePayment,
  capturePart,
  disputePayment,
  refundPart,
  voidInAdvance,
  type Payment,
} from './domain/payment.js';
import { requestCapture, requestRefund } from './domain/wishes.js';
import { LeasesStore } from './leases.store.js';
import { PaymentsStore } from './payments.store.js';
import { aCapture, aPayment, anAuthorization, aRefund, NOW, NO_CARD_LIMITS } from '../test/payment-builder.js';

const CARD = { token: 'pm_card_visa', email: 'ada@example.com', clientDigest: '', customerId: '' };
const OUTBOX = sql('test.outbox', 'SELECT type, aggregate_id FROM outbox ORDER BY sequence');
const LEDGER = sql(
  'test.ledger',
  'SELECT cause, debit, credit, amount FROM ledger WHERE payment_id = $1 ORDER BY booked_at, cause',
);
const BALANCES = sql('test.balances', 'SELECT account, balance FROM ledger_balances ORDER BY account');

let postgres: TestDatabase;
let store: PaymentsStore;
let leases: LeasesStore;
let wakes = 0;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/payments/migrations' });
  const relay = { wake: () => (wakes += 1) } as unknown as OutboxRelay;
  store = new PaymentsStore(postgres.database, relay);
  leases = new LeasesStore(postgres.database, relay, 60_000, NO_CARD_LIMITS);
});
afterAll(() => postgres.drop());

const claim = (key: string = randomUUID(), fingerprint = 'f') => ({
  principal: 'staff-1',
  operation: 'test',
  key,
  fingerprint,
});

/** A card payment of 19.99 that is AUTHORIZED, or CAPTURED. */
async function inDatabase(state: 'AUTHORIZED' | 'CAPTURED' = 'AUTHORIZED'): Promise<Payment> {
  const lease = (await leases.open(aPayment(randomUUID(), randomUUID()), CARD))!;
  const authorized = authorizePayment(lease.payment, `pi_${lease.payment.paymentId}`, NOW);
  const change = state === 'AUTHORIZED' ? authorized : capturePart(authorized.payment, aCapture(), true, NOW);
  return (await leases.save(lease, { change, release: { retryAfterMs: undefined } }))!.payment;
}

describe('payments by hand', () => {
  it('are written many in one go, each with its event, and those that were there are given back', async () => {
    const before = (await leases.open(aPayment(randomUUID(), randomUUID()), CARD))!;
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

describe('a capture or a refund that is asked for', () => {
  it('is on record once per key, and the answer names it ever after (F3, F5)', async () => {
    const { orderId } = await inDatabase('CAPTURED');
    const key = randomUUID();
    const ask = () =>
      store.requestRefund(claim(key), orderId, (payment) =>
        requestRefund(payment, 500n, 'too small', { refundId: randomUUID(), now: NOW }),
      );
    const answers = await Promise.all(Array.from({ length: 10 }, ask));
    const { refunds } = (await store.get(orderId))!;
    expect(refunds).toMatchObject([{ amount: 500n, state: 'PROCESSING', reason: 'too small', createTime: NOW }]);
    expect(new Set(answers.map(({ answer }) => answer.refundId))).toEqual(new Set([refunds[0]?.refundId]));
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  });

  it('never exceeds what is left with others that are asked for at the same time (F48)', async () => {
    const captured = await inDatabase('CAPTURED');
    const refunds = Array.from({ length: 20 }, () =>
      store.requestRefund(claim(), captured.orderId, (payment) =>
        requestRefund(payment, 500n, '', { refundId: randomUUID(), now: NOW }),
      ),
    );
    const authorized = await inDatabase();
    const captures = Array.from({ length: 20 }, () =>
      store.requestCapture(claim(), authorized.orderId, (payment) => requestCapture(payment, 500n, true, NOW)),
    );
    for (const asked of [refunds, captures]) {
      const outcomes = await Promise.allSettled(asked);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
      const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
      refused.forEach(({ reason }) => expect(reason).toMatchObject({ reason: 'AMOUNT_TOO_HIGH' }));
    }
    expect((await store.get(captured.orderId))?.refunds).toHaveLength(3);
    expect((await store.get(authorized.orderId))?.captures.map(({ sequence }) => sequence)).toEqual([1, 2, 3]);
  });

  it('is refused where there is no payment', async () => {
    const asked = store.requestCapture(claim(), randomUUID(), () => undefined);
    await expect(asked).rejects.toMatchObject({ reason: 'PAYMENT_NOT_FOUND' });
  });

  it('is not asked for by an event where the payment was called off', async () => {
    const [payment] = await store.insertMany([voidInAdvance(randomUUID(), randomUUID(), NOW)]);
    expect(await store.requestCaptures([payment!.orderId, randomUUID()])).toHaveLength(1);
    const claimed = await leases.claimDue(100);
    expect(claimed.map((lease) => lease.payment.orderId)).not.toContain(payment!.orderId);
    expect(await store.get(payment!.orderId)).toMatchObject({ captureRequested: false, state: 'VOIDED' });
  });
});

describe('the ledger', () => {
  it('says what moved, in the transaction of its change, and balances', async () => {
    const { orderId, paymentId } = await inDatabase('CAPTURED');
    const lease = (await leases.take(orderId))!;
    const part = refundPart(lease.payment, aRefund({ refundId: randomUUID(), amount: 500n }), NOW);
    const disputed = disputePayment(part.payment, 100n, NOW);
    const change = { payment: disputed.payment, events: [...part.events, ...disputed.events] };
    await leases.save(lease, { change, release: { retryAfterMs: undefined } });
    const entries = await postgres.database.query<{ cause: string }>(LEDGER, [paymentId]);
    expect(entries).toMatchObject([
      { cause: `capture:${paymentId}:1`, debit: 'clearing:card', credit: 'sales', amount: 1999n },
      { cause: `dispute:${paymentId}:5`, debit: 'disputes', credit: 'clearing:card', amount: 100n },
      { debit: 'refunds', credit: 'clearing:card', amount: 500n },
    ]);
    const balances = await postgres.database.query<{ account: string; balance: bigint }>(BALANCES);
    expect(balances.reduce((sum, { balance }) => sum + balance, 0n)).toBe(0n);
  });

  it('books nothing twice, and undoes what would be', async () => {
    const payment = await inDatabase('CAPTURED');
    const lease = (await leases.take(payment.orderId))!;
    const again = { ...payment, refundedAmount: 5n };
    const events = [{ kind: 'PaymentCaptured', payment: again, capture: payment.captures[0]! } as const];
    await expect(leases.save(lease, { change: { payment: again, events } })).rejects.toThrow(
      'ledger_books_a_cause_once',
    );
    expect(await store.get(payment.orderId)).toMatchObject({ refundedAmount: 0n });
  });

  it('is only ever added to', async () => {
    await inDatabase('CAPTURED');
    for (const change of ['UPDATE ledger SET amount = 1', 'DELETE FROM ledger', 'TRUNCATE ledger']) {
      await expect(postgres.database.query(sql(`test.${change}`, change))).rejects.toThrow('only ever added to');
    }
  });
});

it('cannot hold more captured than the amount, more refunded than captured, or money that was never authorised', async () => {
  const { paymentId } = await inDatabase('CAPTURED');
  const set = (what: string) =>
    postgres.database.query(sql(`test.${what}`, `UPDATE payments SET ${what} WHERE payment_id = $1`), [paymentId]);
  await set('refunded_amount = 1999');
  const impossible = [
    'refunded_amount = 2000',
    'captured_amount = 2000',
    'captured_amount = -1',
    'disputed_amount = -1',
    "state = 'VOIDED'",
  ];
  for (const what of impossible) await expect(set(what)).rejects.toThrow('violates check constraint');
});
