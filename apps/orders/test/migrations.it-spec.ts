import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate, sql } from '@souk/postgres';
import { testDatabase, workspacePath, type TestDatabase } from '@souk/testing';
import { OrdersStore } from '../src/orders.store.js';
import { SagasStore } from '../src/sagas.store.js';
import { toRow } from '../src/orders.rows.js';
import { confirmedOrder, pendingOrder } from './order-builder.js';
import { placed } from './placements.js';

const DIR = workspacePath('apps/orders/migrations');
const LEASE = { leaseMs: 60_000, sagaVersion: 1 };
const OLD_COLUMNS = `order_id, number, state, cancel_requested, lines, total_amount, currency, email, shipping_address,
  payment_method, payment_token, customer_id, cart_id, rejection, timeline, version, created_at, updated_at, saga_phase,
  claim_principal, claim_key, claim_fingerprint, saga_epoch, saga_due_at, saga_failures`;
const INSERT_OLD = sql(
  'test.insert-old',
  `INSERT INTO orders (${OLD_COLUMNS}) SELECT ${OLD_COLUMNS} FROM json_populate_recordset(NULL::orders, $1::json)`,
);

let folder: string;
let postgres: TestDatabase;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  cpSync(join(DIR, '0001_create_orders.sql'), join(folder, '0001_create_orders.sql'));
  postgres = await testDatabase({ migrations: folder });
});
afterEach(async () => {
  rmSync(folder, { recursive: true });
  await postgres.drop();
});

/** As the release before wrote it. */
async function insertOld(order: ReturnType<typeof toRow>): Promise<void> {
  const saga = { saga_epoch: 3, saga_due_at: new Date(), saga_failures: 16 };
  const claim = { claim_principal: 'guest', claim_key: order['number'], claim_fingerprint: 'f' };
  await postgres.database.query(INSERT_OLD, [JSON.stringify([{ ...order, ...saga, ...claim }])]);
}

it('lets sagas that were parked before go on where they had been, and old processes write on meanwhile (F21, F71)', async () => {
  const cancelled = { ...confirmedOrder({ number: 'OLD-2', orderId: '0195a1b2-0000-7000-8000-000000000002' }) };
  await insertOld({ ...toRow(pendingOrder({ number: 'OLD-1' })), saga_phase: 'PARKED' });
  await insertOld({ ...toRow(cancelled), state: 'CANCELLED', saga_phase: 'PARKED' });
  await migrate({ url: postgres.url, dir: DIR });

  const orders = new OrdersStore(postgres.database, { ...LEASE, onCommitted: () => undefined });
  const sagas = new SagasStore(postgres.database, LEASE);
  const parked = await sagas.listParked(10);
  expect(parked.map(({ order }) => `${order.number} ${order.phase}`)).toEqual(['OLD-1 CHECKOUT', 'OLD-2 UNDO']);
  await sagas.resume(cancelled.orderId);
  expect(await sagas.claimDue(10)).toMatchObject([{ order: { number: 'OLD-2' }, epoch: 4 }]);

  const late = '0195a1b2-0000-7000-8000-000000000003';
  await insertOld({ ...toRow(pendingOrder({ number: 'OLD-3', orderId: late })) });
  expect(await sagas.claimDue(10)).toMatchObject([{ order: { orderId: late, refundedAmount: 0n } }]);
  expect(await placed(orders)).toBeDefined();
});
