import { randomUUID } from 'node:crypto';
import type { OutboxRelay } from '@souk/outbox';
import { Database, isDatabaseUnavailable, sql } from '@souk/postgres';
import { commitCutter, testDatabase, type Cut, type TestDatabase } from '@souk/testing';
import { authorizePayment, capturePart, voidInAdvance, type Payment } from './domain/payment.js';
import { requestCapture, requestRefund } from './domain/wishes.js';
import { LeasesStore } from './leases.store.js';
import { PaymentsStore } from './payments.store.js';
import { aCapture, aPayment, NOW, NO_CARD_LIMITS } from '../test/payment-builder.js';

const relay = { wake: () => undefined } as unknown as OutboxRelay;
const CUTS: Cut[] = ['before commit', 'after commit'];
const FACTS = sql('test.facts', 'SELECT type FROM outbox WHERE aggregate_id = $1 ORDER BY sequence');
const ENTRIES = sql('test.entries', 'SELECT cause FROM ledger WHERE payment_id = $1');

let postgres: TestDatabase;
beforeAll(async () => (postgres = await testDatabase({ migrations: 'apps/payments/migrations' })));
afterAll(() => postgres.drop());

const stores = (database: Database) => ({
  payments: new PaymentsStore(database, relay),
  leases: new LeasesStore(database, relay, 60_000, NO_CARD_LIMITS),
});

/** A card payment of 19.99, AUTHORIZED or CAPTURED. */
async function inDatabase(state: 'AUTHORIZED' | 'CAPTURED'): Promise<Payment> {
  const { leases } = stores(postgres.database);
  const lease = (await leases.open(aPayment(randomUUID(), randomUUID()), {
    token: 't',
    email: '',
    clientDigest: '',
    customerId: '',
  }))!;
  const authorized = authorizePayment(lease.payment, `pi_${lease.payment.paymentId}`, NOW);
  const change = state === 'AUTHORIZED' ? authorized : capturePart(authorized.payment, aCapture(), true, NOW);
  return (await leases.save(lease, { change, release: { retryAfterMs: undefined } }))!.payment;
}

/** Does it over a wire that breaks at its commit, and then once more, as its caller does who got no answer. */
async function twice<T>(cut: Cut, work: (broken: ReturnType<typeof stores>) => Promise<T>): Promise<T> {
  const wire = await commitCutter(postgres.url);
  const database = Database.connect({ url: wire.url, name: 'cut', poolSize: 1 });
  wire.cutNext(cut);
  const error = await work(stores(database)).catch((thrown: unknown) => thrown);
  expect(isDatabaseUnavailable(error)).toBe(true);
  await database.close();
  await wire.close();
  return work(stores(postgres.database));
}

describe.each(CUTS)('where the connection breaks %s (F68)', (cut) => {
  const claim = () => ({ principal: 'staff', operation: 'test', key: randomUUID(), fingerprint: '' });

  it('a refund is on record once', async () => {
    const { orderId } = await inDatabase('CAPTURED');
    const key = claim();
    const { answer, replayed } = await twice(cut, ({ payments }) =>
      payments.requestRefund(key, orderId, (payment) =>
        requestRefund(payment, 500n, '', { refundId: randomUUID(), now: NOW }),
      ),
    );
    expect(replayed).toBe(cut === 'after commit');
    const { refunds } = (await stores(postgres.database).payments.get(orderId))!;
    expect(refunds.map(({ refundId }) => refundId)).toEqual([answer.refundId]);
  });

  it('a capture is on record once', async () => {
    const { orderId } = await inDatabase('AUTHORIZED');
    const key = claim();
    await twice(cut, ({ payments }) =>
      payments.requestCapture(key, orderId, (payment) => requestCapture(payment, 500n, true, NOW)),
    );
    expect((await stores(postgres.database).payments.get(orderId))?.captures).toMatchObject([{ sequence: 1 }]);
  });

  it('what a provider answered is written, booked and told once', async () => {
    const { orderId, paymentId } = await inDatabase('AUTHORIZED');
    const lease = (await stores(postgres.database).leases.take(orderId))!;
    const save = ({ leases }: ReturnType<typeof stores>) =>
      leases.save(lease, { change: capturePart(lease.payment, aCapture(), true, NOW) });
    // Nobody saves the same change again: who finds the lease gone by reads the payment anew.
    await twice(cut, async (its) => {
      const present = (await stores(postgres.database).payments.get(orderId))!;
      return present.state === 'CAPTURED' ? undefined : save(its);
    });
    expect(await postgres.database.query(FACTS, [paymentId])).toEqual(
      ['Authorized', 'Captured'].map((kind) => ({ type: `souk.payments.v1.Payment${kind}` })),
    );
    expect(await postgres.database.query(ENTRIES, [paymentId])).toEqual([{ cause: `capture:${paymentId}:1` }]);
  });

  it('a payment that needs no provider is made once', async () => {
    const orderId = randomUUID();
    const [made] = await twice(cut, ({ payments }) => payments.insertMany([voidInAdvance(orderId, randomUUID(), NOW)]));
    expect(await postgres.database.query(FACTS, [made!.paymentId])).toHaveLength(1);
    expect((await stores(postgres.database).payments.getMany([orderId])).map(({ paymentId }) => paymentId)).toEqual([
      made!.paymentId,
    ]);
  });
});
