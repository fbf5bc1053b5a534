/** One client of the shop: each of its calls goes into the history. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { History, Line, Operation, OperationKind, Outcome } from './history.ts';
import type { Answer, Call, HttpClient } from './http.ts';

/** An order somebody wants to place: repeated, it is the same key and the same body. */
export interface Attempt {
  readonly key: string;
  readonly lines?: readonly Line[];
  readonly cartId?: string;
  /** Card; on account where there is none. */
  readonly card?: string;
}

/** An order that the shop has told a client of. */
export interface KnownOrder {
  readonly orderId: string;
  readonly accessToken: string;
  readonly state: string;
  readonly total: number;
}

export interface Told {
  readonly outcome: Outcome;
  readonly status: number;
  readonly reason?: string;
  readonly order?: KnownOrder;
  readonly body: Answer['body'];
}

export interface Credentials {
  readonly email: string;
  readonly password: string;
}

type Facts = Pick<Operation, 'principal' | 'key' | 'cartId' | 'sku' | 'lines' | 'amount' | 'orderId'>;

const ADDRESS = { name: 'Ada Lovelace', line1: '12 St James Square', city: 'London', postalCode: 'SW1', country: 'GB' };
const TELL_OF_ORDERS: readonly OperationKind[] = ['place order', 'read order', 'cancel order', 'fulfil order'];

export class ShopClient {
  readonly #http: HttpClient;
  readonly #history: History;
  readonly #actor: string;
  readonly #credentials: Credentials | undefined;
  #token: string | undefined;

  /** @param credentials of a customer or of staff; a guest has none */
  constructor(http: HttpClient, history: History, actor: string, credentials?: Credentials) {
    this.#http = http;
    this.#history = history;
    this.#actor = actor;
    this.#credentials = credentials;
  }

  /** Opens the account of a customer. */
  async register(): Promise<void> {
    const body = { ...this.#credentials, name: this.#actor };
    await this.#http.call({ method: 'POST', path: '/v1/auth/register', body });
    await this.logIn();
  }

  /** @returns the access token, which is good for some minutes */
  async logIn(): Promise<string> {
    const call: Call = { method: 'POST', path: '/v1/auth/login', body: { ...this.#credentials } };
    const { status, body } = await this.#http.call(call);
    this.#token = textIn(body, 'accessToken');
    if (!this.#token) throw new Error(`The login of ${this.#actor} answered ${status}.`);
    return this.#token;
  }

  /** Not a part of the history. */
  async stockOf(sku: string): Promise<number | undefined> {
    const { body } = await this.#http.call({ path: `/v1/stock/${sku}` });
    return body['onHand'] as number | undefined;
  }

  /** @param patienceMs after which the client gives the answer up */
  async placeOrder(attempt: Attempt, patienceMs?: number): Promise<Told> {
    const { key, lines, cartId, card } = attempt;
    const payment = card ? { method: 'card', token: card } : { method: 'manual' };
    const email = `${this.#actor}@example.com`;
    const body = { ...(cartId ? { cartId } : { lines }), email, shippingAddress: ADDRESS, payment };
    const call = { ...post('/v1/orders', body), headers: { 'idempotency-key': key }, patienceMs };
    const principal = this.#credentials ? this.#actor : 'guest';
    return this.#record('place order', call, { principal, key, cartId, lines });
  }

  readOrder({ orderId, accessToken }: KnownOrder): Promise<Told> {
    const call = { path: `/v1/orders/${orderId}`, token: this.#token ?? accessToken };
    return this.#record('read order', call, { orderId });
  }

  cancelOrder({ orderId, accessToken }: KnownOrder): Promise<Told> {
    const call = { ...post(`/v1/orders/${orderId}/cancel`), token: this.#token ?? accessToken };
    return this.#record('cancel order', call, { orderId });
  }

  fulfilOrder(orderId: string): Promise<Told> {
    return this.#record('fulfil order', post(`/v1/orders/${orderId}/fulfill`, {}), { orderId });
  }

  /** Notes that the money of an order on account came in. */
  captureOrder(orderId: string, key: string): Promise<Told> {
    const call = { ...post(`/v1/orders/${orderId}/captures`, {}), headers: { 'idempotency-key': key } };
    return this.#record('capture order', call, { orderId, key });
  }

  refundOrder(orderId: string, key: string, amount: number): Promise<Told> {
    const body = { amount, reason: 'Came back.' };
    const call = { ...post(`/v1/orders/${orderId}/refunds`, body), headers: { 'idempotency-key': key } };
    return this.#record('refund order', call, { orderId, key, amount });
  }

  countStock(sku: string, onHand: number, key: string): Promise<Told> {
    const headers: OutgoingHttpHeaders = { 'idempotency-key': key };
    const call = { method: 'PUT', path: `/v1/stock/${sku}`, body: { onHand }, headers };
    return this.#record('count stock', call, { sku, key, amount: onHand });
  }

  adjustStock(sku: string, delta: number, key: string): Promise<Told> {
    const call = { ...post(`/v1/stock/${sku}/adjustments`, { delta }), headers: { 'idempotency-key': key } };
    return this.#record('adjust stock', call, { sku, key, amount: delta });
  }

  /** @returns the cart, or undefined where it could not be made and filled */
  async fillCart(lines: readonly Line[]): Promise<string | undefined> {
    const made = await this.#record('fill cart', post('/v1/carts'), {});
    const cartId = made.body['id'];
    if (made.outcome !== 'ok' || typeof cartId !== 'string') return undefined;
    for (const { sku, quantity } of lines) {
      const call = { method: 'PUT', path: `/v1/carts/${cartId}/lines/${sku}`, body: { quantity } };
      if ((await this.#record('fill cart', call, { cartId, sku, amount: quantity })).outcome !== 'ok') return undefined;
    }
    return cartId;
  }

  holdCart(cartId: string): Promise<Told> {
    return this.#record('hold cart', post(`/v1/carts/${cartId}/hold`), { cartId });
  }

  deleteCart(cartId: string): Promise<Told> {
    return this.#record('fill cart', { method: 'DELETE', path: `/v1/carts/${cartId}` }, { cartId });
  }

  async #record(kind: OperationKind, call: Call, facts: Facts): Promise<Told> {
    const began = this.#history.now();
    const { status, body } = await this.#http.call({ token: this.#token, ...call });
    const order = orderIn(body);
    // A refund that was made has a reason, too.
    const reason = status >= 400 ? textIn(body, 'reason') : undefined;
    const expires = textIn(body, 'expiresAt');
    const outcome = outcomeOf(status, reason);
    this.#history.add({
      kind,
      actor: this.#actor,
      began,
      ended: this.#history.now(),
      outcome,
      status,
      reason,
      ...facts,
      ...(kind === 'refund order' && { refundId: textIn(body, 'id') }),
      ...(expires && { expires }),
      ...(order && TELL_OF_ORDERS.includes(kind) && seen(order, body)),
    });
    if (status === 401 && this.#credentials) await this.logIn().catch(() => undefined);
    return { outcome, status, reason, order, body };
  }
}

/** Whoever is told to come back later, or nothing at all, does not know whether it happened. */
function outcomeOf(status: number, reason: string | undefined): Outcome {
  if (status >= 200 && status < 300) return 'ok';
  const later = status === 429 || reason === 'REQUEST_IN_PROGRESS';
  return status >= 400 && status < 500 && !later ? 'refused' : 'unknown';
}

function textIn(body: Answer['body'], field: string): string | undefined {
  const value = body[field];
  return typeof value === 'string' ? value : undefined;
}

function post(path: string, body?: object): Call {
  return { method: 'POST', path, body };
}

/** An order in an answer; a refused one is named by the problem document. */
function orderIn(body: Answer['body']): KnownOrder | undefined {
  const { id, orderId, accessToken = '', state, total } = body as Record<string, unknown>;
  const named = typeof orderId === 'string' && typeof state !== 'string' ? orderId : id;
  if (typeof named !== 'string') return undefined;
  const { amount = 0 } = (total ?? {}) as { amount?: number };
  const known = typeof state === 'string' ? state : 'REJECTED';
  return { orderId: named, accessToken: String(accessToken), state: known, total: amount };
}

function seen({ orderId, state, total }: KnownOrder, body: Answer['body']): Partial<Operation> {
  const { number, version } = body as { number?: string; version?: number };
  return { orderId, state, ...(total > 0 && { total }), ...(number && { number }), ...(version && { version }) };
}
