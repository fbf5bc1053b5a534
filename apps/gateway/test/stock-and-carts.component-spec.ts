import { DomainError } from '@souk/errors';
import { aCart, CART_ID, NOON } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());

describe('stock', () => {
  it('is counted by staff', async () => {
    let asked: Record<string, unknown> = {};
    gateway.services.answers.inventory.setStock = (request) => {
      asked = { ...request };
      const stock = { sku: request.sku, onHand: request.onHand, held: 2, available: 3, version: 9 };
      return { stock, replayed: false };
    };
    const init = { method: 'PUT', token: gateway.staff, json: { onHand: 5 }, headers: { 'If-Match': '"8"' } };
    const response = await gateway.fetch('/v1/stock/LANTERN%2FXL', init);
    expect(await response.json()).toEqual({ sku: 'LANTERN/XL', onHand: 5, held: 2, available: 3, version: 9 });
    expect(response.headers.get('etag')).toBe('"9"');
    expect(asked).toMatchObject({ sku: 'LANTERN/XL', onHand: 5, expectedVersion: 8 });
  });

  it('is corrected by what came in or went, with the reason', async () => {
    let asked: unknown;
    gateway.services.answers.inventory.adjustStock = (request) => {
      asked = request;
      return { stock: { sku: request.sku, onHand: 8, held: 2, available: 6, version: 10 }, replayed: false };
    };
    const response = await adjust({ delta: -2, reason: 'Broken.' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ sku: 'LANTERN', onHand: 8, held: 2, available: 6, version: 10 });
    expect(response.headers.get('etag')).toBe('"10"');
    expect(asked).toEqual({ sku: 'LANTERN', delta: -2, reason: 'Broken.', requestId: 'key-1' });
  });

  it('is not corrected by nothing, nor below what is held (F39)', async () => {
    for (const json of [{ delta: 0 }, { delta: 1.5 }, {}]) {
      const response = await adjust(json);
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ errors: [{ field: 'delta' }] });
    }
    gateway.services.answers.inventory.adjustStock = () => {
      throw new DomainError({ kind: 'refused', reason: 'STOCK_BELOW_HELD', message: 'Too few.' });
    };
    const response = await adjust({ delta: -9 });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ reason: 'STOCK_BELOW_HELD' });
  });

  function adjust(json: object): Promise<Response> {
    const headers = { 'Idempotency-Key': 'key-1' };
    return gateway.fetch('/v1/stock/LANTERN/adjustments', { method: 'POST', token: gateway.staff, json, headers });
  }
});

describe('a cart', () => {
  it('is made, filled and deleted', async () => {
    gateway.services.answers.carts.createCart = () => ({ cart: aCart() });
    gateway.services.answers.carts.setCartLine = ({ quantity }) => ({ cart: aCart({ version: quantity + 2 }) });
    gateway.services.answers.carts.deleteCart = () => ({});
    const made = await gateway.fetch('/v1/carts', { method: 'POST', headers: { 'content-type': 'application/json' } });
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/v1/carts/${CART_ID}`);
    expect(await made.json()).toMatchObject({ id: CART_ID, lines: [], total: null });
    const line = `/v1/carts/${CART_ID}/lines/LANTERN`;
    const set = await gateway.fetch(line, { method: 'PUT', json: { quantity: 3 } });
    expect(set.headers.get('etag')).toBe('"5"');
    expect((await gateway.fetch(line, { method: 'DELETE' })).headers.get('etag')).toBe('"2"');
    expect((await gateway.fetch(`/v1/carts/${CART_ID}`, { method: 'DELETE' })).status).toBe(204);
  });

  it('holds its stock until a time that it tells', async () => {
    gateway.services.answers.carts.holdCart = () => ({ expireTime: NOON });
    const response = await gateway.fetch(`/v1/carts/${CART_ID}/hold`, { method: 'POST' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ expiresAt: NOON.toISOString() });
  });

  it('tells what is too short to be held with 409', async () => {
    const shortages = [{ sku: 'LANTERN', requested: 3, available: 1 }];
    gateway.services.answers.carts.holdCart = () => {
      const metadata = { shortages: JSON.stringify(shortages) };
      throw new DomainError({ kind: 'refused', reason: 'STOCK_SHORT', message: 'There are too few.', metadata });
    };
    const response = await gateway.fetch(`/v1/carts/${CART_ID}/hold`, { method: 'POST' });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ reason: 'STOCK_SHORT', shortages });
  });
});
