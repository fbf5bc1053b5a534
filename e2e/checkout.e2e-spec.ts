import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';
import { Client, type Order, type Problem, type Product } from './client.js';
import { providerBooks } from './provider.js';

let souk: LaunchedSouk;
let shop: Client;
let admin: Client;
let sku: string;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'], env: { SOUK_ORDER_WAIT_MS: '2000' } });
  shop = new Client(souk);
  admin = await shop.asAdmin();
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});
beforeEach(async () => void (sku = await admin.sell(10)));

it('shows the sample catalogue, searched and page by page', async () => {
  const { body: first } = await shop.call<{ items: Product[]; nextCursor: string }>('GET', '/v1/products?limit=5');
  expect(first.items).toHaveLength(5);
  const { body: second } = await shop.call<{ items: Product[] }>(
    'GET',
    `/v1/products?limit=5&cursor=${first.nextCursor}`,
  );
  const slugs = [...first.items, ...second.items].map(({ slug }) => slug);
  expect(new Set(slugs).size).toBe(10);
  const { body: found } = await shop.call<{ items: Product[] }>('GET', '/v1/products?query=neckl');
  expect(found.items.length).toBeGreaterThan(0);
  expect(found.items[0]?.variants[0]?.available).toBeGreaterThan(0);
});

it('sells by card: confirmed, out of stock, captured, and a mail', async () => {
  const { status, body: order, headers } = await shop.placeOrder({ sku, quantity: 2, token: 'pm_card_visa' });
  expect({ status, state: order.state, total: order.total.amount }).toEqual({
    status: 201,
    state: 'CONFIRMED',
    total: 3_998,
  });
  expect(headers.get('location')).toBe(`/v1/orders/${order.id}`);
  await eventually(async () => expect(await shop.stock(sku)).toMatchObject({ onHand: 8, held: 0, available: 8 }));
  await eventually(async () => {
    const { body: payment } = await admin.call<{ state: string }>('GET', `/v1/orders/${order.id}/payment`);
    expect(payment.state).toBe('CAPTURED');
  });
  await eventually(() => expect(mailsAbout(order.number)).toHaveLength(1));
});

it('sells on account', async () => {
  const { status, body } = await shop.placeOrder({ sku });
  expect({ status, state: body.state }).toEqual({ status: 201, state: 'CONFIRMED' });
});

it('refuses what is short with 409, and holds nothing', async () => {
  const { status, body } = await shop.placeOrder<Problem>({ sku, quantity: 11 });
  expect({ status, ...body }).toMatchObject({
    status: 409,
    reason: 'STOCK_SHORT',
    shortages: [{ sku, requested: 11, available: 10 }],
  });
  expect(await shop.stock(sku)).toMatchObject({ onHand: 10, held: 0 });
});

it('refuses a declined card with 402, and lets go of the stock', async () => {
  const token = 'pm_card_chargeDeclinedInsufficientFunds';
  const { status, body } = await shop.placeOrder<Problem>({ sku, token });
  expect({ status, ...body }).toMatchObject({
    status: 402,
    reason: 'PAYMENT_DECLINED',
    declineCode: 'insufficient_funds',
  });
  expect(await shop.stock(sku)).toMatchObject({ onHand: 10, held: 0 });
});

it('answers 202 for a slow provider and finishes by itself (F78)', async () => {
  const { status, body: order } = await shop.placeOrder({ sku, token: 'pm_sandbox_slow_4000' });
  expect({ status, state: order.state }).toEqual({ status: 202, state: 'PENDING' });
  await eventually(async () => expect((await shop.order(order)).state).toBe('CONFIRMED'), { timeoutMs: 30_000 });
});

it('charges once though the provider times out after charging (F40)', async () => {
  const { body: order } = await shop.placeOrder({ sku, token: 'pm_sandbox_timeoutAfterCharge' });
  await eventually(async () => expect((await shop.order(order)).state).toBe('CONFIRMED'), { timeoutMs: 60_000 });
  await eventually(async () => {
    const books = { charges: 1, taken: 1_999, givenBack: 0, setAside: false };
    expect(await providerBooks(souk, order.id)).toEqual(books);
  });
});

it('cancels: stock and money go back', async () => {
  const { body: order } = await shop.placeOrder({ sku, token: 'pm_card_visa' });
  const headers = { authorization: `Bearer ${order.accessToken}` };
  const { status, body } = await shop.call<Order>('POST', `/v1/orders/${order.id}/cancel`, undefined, headers);
  expect({ status, state: body.state }).toEqual({ status: 200, state: 'CANCELLED' });
  await eventually(async () => expect(await shop.stock(sku)).toMatchObject({ held: 0, available: 10 }));
  await eventually(async () => {
    const { body: payment } = await admin.call<{ state: string }>('GET', `/v1/orders/${order.id}/payment`);
    expect(['VOIDED', 'REFUNDED']).toContain(payment.state);
  });
});

it('says which fields are wrong', async () => {
  const { status, body } = await shop.call<Problem>(
    'POST',
    '/v1/orders',
    { lines: [{ sku: '', quantity: 0 }] },
    {
      'idempotency-key': randomUUID(),
    },
  );
  expect(status).toBe(400);
  const fields = body.errors?.map(({ field }) => field);
  expect(fields).toEqual(expect.arrayContaining(['lines[0].sku', 'lines[0].quantity', 'email', 'shippingAddress']));
});

it('keeps guests from the orders of others and customers from the work of staff', async () => {
  const { body: order } = await shop.placeOrder({ sku });
  expect((await shop.call('GET', `/v1/orders/${order.id}`)).status).toBe(404);
  expect((await shop.call('PUT', `/v1/stock/${sku}`, { onHand: 99 })).status).toBe(401);
  const person = { email: `${sku}@example.com`, password: 'a long enough password', name: 'Grace' };
  const { body: session } = await shop.call<{ accessToken: string }>('POST', '/v1/auth/register', person);
  const customer = new Client(souk, session.accessToken);
  expect((await customer.call('PUT', `/v1/stock/${sku}`, { onHand: 99 })).status).toBe(403);
  expect((await customer.call('GET', `/v1/orders/${order.id}`)).status).toBe(404);
});

function mailsAbout(orderNumber: string): string[] {
  const folder = join(souk.dataDir, 'mail');
  return readdirSync(folder)
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .filter((mail) => mail.includes(orderNumber));
}
