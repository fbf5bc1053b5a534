import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';
import { Client, type Order, type Problem, type Product } from './client.js';

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
beforeEach(async () => {
  sku = `TEST-${randomUUID().slice(0, 8)}`;
  const slug = sku.toLowerCase();
  const variants = [{ sku, title: 'Only', price: { amount: 1_999, currency: 'USD' } }];
  expect(await admin.call('POST', '/v1/products', { slug, title: `Thing ${slug}`, variants })).toMatchObject({
    status: 201,
  });
  await eventually(async () => {
    expect((await admin.call('PUT', `/v1/stock/${sku}`, { onHand: 10 })).status).toBe(200);
  });
});

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

it('answers 202 for a slow provider and finishes by itself', async () => {
  const { status, body: order } = await shop.placeOrder({ sku, token: 'pm_sandbox_slow_4000' });
  expect({ status, state: order.state }).toEqual({ status: 202, state: 'PENDING' });
  await eventually(async () => expect((await shop.order(order)).state).toBe('CONFIRMED'), { timeoutMs: 30_000 });
});

it('charges once though the provider times out after charging', async () => {
  const { body: order } = await shop.placeOrder({ sku, token: 'pm_sandbox_timeoutAfterCharge' });
  await eventually(async () => expect((await shop.order(order)).state).toBe('CONFIRMED'), { timeoutMs: 60_000 });
  const ledger = await fetch(`http://127.0.0.1:${souk.ports['sandbox-psp']}/_sandbox/ledger`);
  const text = await ledger.text();
  expect(text.split(order.id).length - 1).toBeGreaterThan(0);
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

it('answers a repeated key with the first order, and refuses another body under it', async () => {
  const key = randomUUID();
  const answers = await Promise.all(Array.from({ length: 20 }, () => shop.placeOrder({ sku }, key)));
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(answers.every(({ status }) => status === 201)).toBe(true);
  expect(answers.filter(({ headers }) => headers.get('idempotency-replayed') === 'true')).toHaveLength(19);
  expect((await shop.stock(sku)).available).toBe(9);
  const other = await shop.placeOrder<Problem>({ sku, quantity: 2 }, key);
  expect({ status: other.status, reason: other.body.reason }).toEqual({ status: 422, reason: 'REQUEST_ID_REUSED' });
});

it('turns a cart into one order', async () => {
  const { body: cart } = await shop.call<{ id: string }>('POST', '/v1/carts');
  await shop.call('PUT', `/v1/carts/${cart.id}/lines/${sku}`, { quantity: 3 });
  const [one, two] = await Promise.all([shop.placeOrder({ cartId: cart.id }), shop.placeOrder({ cartId: cart.id })]);
  expect(one.body.id).toBe(two.body.id);
  await eventually(async () => expect((await shop.stock(sku)).available).toBe(7));
});

it('sells the last unit once', async () => {
  await admin.call('PUT', `/v1/stock/${sku}`, { onHand: 1 });
  const answers = await Promise.all(Array.from({ length: 40 }, () => shop.placeOrder<Order & Problem>({ sku })));
  expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
  expect(answers.filter(({ status, body }) => status === 409 && body.reason === 'STOCK_SHORT')).toHaveLength(39);
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
