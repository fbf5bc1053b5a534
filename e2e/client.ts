/** What a shop front does, over REST. */
import { randomUUID } from 'node:crypto';
import type { LaunchedSouk } from '@souk/runner/launch';

export interface Answer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface Order {
  readonly id: string;
  readonly number: string;
  readonly state: string;
  readonly total: { readonly amount: number; readonly currency: string };
  /** A guest's. */
  readonly accessToken?: string;
}

export interface Problem {
  readonly reason: string;
  readonly orderId?: string;
  readonly shortages?: readonly { readonly sku: string; readonly requested: number; readonly available: number }[];
  readonly declineCode?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
}

export interface Stock {
  readonly sku: string;
  readonly onHand: number;
  readonly held: number;
  readonly available: number;
}

export interface Product {
  readonly slug: string;
  readonly title: string;
  readonly variants: readonly {
    readonly sku: string;
    readonly available: number;
    readonly price: { amount: number };
  }[];
}

export const ADDRESS = {
  name: 'Ada Lovelace',
  line1: '12 St James Square',
  city: 'London',
  postalCode: 'SW1Y 4JH',
  country: 'GB',
};

export class Client {
  constructor(
    private readonly souk: Pick<LaunchedSouk, 'url' | 'secrets'>,
    private readonly token?: string,
  ) {}

  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    signal: AbortSignal | null = null,
  ): Promise<Answer<T>> {
    const text = typeof body === 'string';
    const response = await fetch(new URL(path, this.souk.url), {
      method,
      signal,
      headers: {
        ...(body !== undefined && { 'content-type': text ? 'text/csv' : 'application/json' }),
        ...(this.token && { authorization: `Bearer ${this.token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: text ? body : JSON.stringify(body) }),
    });
    const answer = await response.text();
    return { status: response.status, headers: response.headers, body: (answer ? JSON.parse(answer) : undefined) as T };
  }

  /** The same client, as the administrator that the first start made. */
  async asAdmin(): Promise<Client> {
    const credentials = { email: 'admin@souk.local', password: this.souk.secrets.adminPassword };
    const { body } = await this.call<{ accessToken: string }>('POST', '/v1/auth/login', credentials);
    return new Client(this.souk, body.accessToken);
  }

  /** A customer of his own, logged in. */
  async asCustomer(): Promise<Client> {
    const person = { email: `${randomUUID()}@example.com`, password: 'a long enough password', name: 'Grace' };
    const { body } = await this.call<{ accessToken: string }>('POST', '/v1/auth/register', person);
    return new Client(this.souk, body.accessToken);
  }

  /** Adds a product of one SKU at 19.99, with so many on the shelf; staff. @returns the SKU */
  async sell(onHand: number): Promise<string> {
    const sku = `TEST-${randomUUID().slice(0, 8)}`;
    const slug = sku.toLowerCase();
    const variants = [{ sku, title: 'Only', price: { amount: 1_999, currency: 'USD' } }];
    const added = await this.call('POST', '/v1/products', { slug, title: `Thing ${slug}`, variants });
    const counted = await this.call('PUT', `/v1/stock/${sku}`, { onHand });
    if (added.status !== 201 || counted.status !== 200) throw new Error(`${sku}: ${added.status}, ${counted.status}`);
    return sku;
  }

  placeOrder<T = Order>(
    order: OrderInput,
    key: string = randomUUID(),
    signal: AbortSignal | null = null,
  ): Promise<Answer<T>> {
    const { sku, quantity = 1, lines = [{ sku, quantity }], token, cartId } = order;
    const what = cartId ? { cartId } : { lines };
    const payment = token ? { method: 'card', token } : { method: 'manual' };
    const body = { ...what, email: 'ada@example.com', shippingAddress: ADDRESS, payment };
    return this.call('POST', '/v1/orders', body, { 'idempotency-key': key }, signal);
  }

  async order({ id, accessToken }: Pick<Order, 'id' | 'accessToken'>): Promise<Order> {
    const headers: Record<string, string> = accessToken ? { authorization: `Bearer ${accessToken}` } : {};
    return (await this.call<Order>('GET', `/v1/orders/${id}`, undefined, headers)).body;
  }

  async stock(sku: string): Promise<Stock> {
    return (await this.call<Stock>('GET', `/v1/stock/${sku}`)).body;
  }
}

export interface OrderInput {
  readonly sku?: string;
  readonly quantity?: number;
  readonly lines?: readonly { readonly sku: string; readonly quantity: number }[];
  readonly cartId?: string;
  /** Card; on account where there is none. */
  readonly token?: string;
}
