/** The RPCs of OrdersService: the only mapping between its messages and the domain. */
import { createHash } from 'node:crypto';
import { Allow, Privileged, may, subjectOf, userIdOf } from '@souk/auth';
import { invalid } from '@souk/errors';
import { fingerprintOf, type Claim } from '@souk/idempotency';
import {
  CancelOrderRequest,
  FulfillOrderRequest,
  Order_State,
  OrdersServiceService,
  PlaceOrderRequest,
  type CancelOrderResponse,
  type ClaimOrdersResponse,
  type FulfillOrderResponse,
  type GetOrderRequest,
  type GetOrderResponse,
  type ListOrdersRequest,
  type ListOrdersResponse,
  type ListParkedOrdersRequest,
  type ListParkedOrdersResponse,
  type PlaceOrderResponse,
  type ResumeOrderRequest,
  type ResumeOrderResponse,
} from '@souk/proto/orders/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { callContext } from '@souk/telemetry';
import { asSeenBy, OrderAccess } from './access.js';
import { CancelOrder } from './cancel-order.js';
import { ClientDigests } from './client-digests.js';
import { fulfillOrder, type Order } from './domain/order.js';
import { GuestOrders } from './guest-orders.js';
import { checkOptionalRequestId, checkUuid } from './domain/order-input.js';
import type { OrderState } from './domain/order-state.js';
import { toOrderMessage } from './orders.messages.js';
import { OrdersStore } from './orders.store.js';
import { PlaceOrder } from './place-order.js';
import { ResumeOrders } from './resume-orders.js';

const DEFAULT_PAGE = 20;
const LARGEST_PAGE = 100;
/** What an answer needs to get back to the caller before his deadline. */
const ANSWER_MS = 500;

/** Longest that a caller waits for an outcome, in milliseconds. */
export class OrderWait {
  constructor(readonly longestMs: number) {}
}

@RpcController(OrdersServiceService)
export class OrdersGrpc implements Handlers<typeof OrdersServiceService> {
  constructor(
    private readonly orders: OrdersStore,
    private readonly placing: PlaceOrder,
    private readonly cancelling: CancelOrder,
    private readonly resuming: ResumeOrders,
    private readonly guests: GuestOrders,
    private readonly access: OrderAccess,
    private readonly wait: OrderWait,
    private readonly clients: ClientDigests,
  ) {}

  @Allow('anyone')
  async placeOrder(request: PlaceOrderRequest): Promise<PlaceOrderResponse> {
    const { requestId, lines, cartId, email, shippingAddress, payment, expectedTotal, clientAddress } = request;
    const command = {
      requestId,
      lines,
      ...(cartId && { cartId }),
      email,
      shippingAddress,
      payment: {
        method: payment?.method ?? '',
        token: payment?.token ?? '',
        clientDigest: this.clients.digestOf(clientAddress),
      },
      ...(expectedTotal && { expectedTotal }),
      principal: currentPrincipal(),
      fingerprint: digestOf(request),
    };
    const { order, replayed } = await this.placing.execute(command, this.waitMs());
    const accessToken = this.access.tokenFor(order.orderId);
    return { order: toOrderMessage(asSeenBy(command.principal, order)), accessToken, replayed };
  }

  @Allow('anyone')
  @Privileged('orders:read')
  async getOrder({ orderId, accessToken }: GetOrderRequest): Promise<GetOrderResponse> {
    checkUuid('order_id', orderId);
    const order = await this.orders.get(orderId);
    this.access.check(order, currentPrincipal(), accessToken, 'orders:read');
    return { order: toOrderMessage(asSeenBy(currentPrincipal(), order)) };
  }

  @Allow('user', 'orders:read')
  async listOrders({ pageSize, pageToken, state }: ListOrdersRequest): Promise<ListOrdersResponse> {
    if (pageToken) checkUuid('page_token', pageToken);
    const limit = checkPageSize(pageSize);
    const principal = currentPrincipal();
    const orders = await this.orders.list({
      limit: limit + 1,
      ...(!may(principal, 'orders:read') && { customerId: userIdOf(principal) }),
      ...(state !== Order_State.STATE_UNSPECIFIED && { state: state.replace('STATE_', '') as OrderState }),
      ...(pageToken && { before: pageToken }),
    });
    const page = orders.slice(0, limit);
    const nextPageToken = orders.length > limit ? (page.at(-1)?.orderId ?? '') : '';
    return { orders: page.map(toOrderMessage), nextPageToken };
  }

  @Allow('anyone')
  @Privileged('orders:write')
  async cancelOrder(request: CancelOrderRequest): Promise<CancelOrderResponse> {
    const { orderId, accessToken, requestId } = request;
    checkUuid('order_id', orderId);
    const claim = claimFor('CancelOrder', requestId, CancelOrderRequest.toJSON({ ...request, ...NOT_ASKED_FOR }));
    const command = { orderId, accessToken, principal: currentPrincipal(), ...(claim && { claim }) };
    const { order, replayed } = await this.cancelling.execute(command, this.waitMs());
    return { order: toOrderMessage(asSeenBy(command.principal, order)), replayed };
  }

  @Allow('user')
  async claimOrders(): Promise<ClaimOrdersResponse> {
    const principal = currentPrincipal();
    if (principal.kind !== 'user') throw new Error('An RPC for people let in somebody else.');
    return { count: await this.guests.claim(principal) };
  }

  @Allow('orders:write')
  async fulfillOrder(request: FulfillOrderRequest): Promise<FulfillOrderResponse> {
    const { orderId, tracking, requestId } = request;
    checkUuid('order_id', orderId);
    const claim = claimFor('FulfillOrder', requestId, FulfillOrderRequest.toJSON({ ...request, requestId: '' }));
    const fn = (present: Order) => fulfillOrder(present, tracking, new Date());
    const { order, replayed } = await this.orders.update(orderId, fn, claim);
    return { order: toOrderMessage(order), replayed };
  }

  @Allow('operations:run', 'service:ops')
  async listParkedOrders({ pageSize, pageToken }: ListParkedOrdersRequest): Promise<ListParkedOrdersResponse> {
    if (pageToken) checkUuid('page_token', pageToken);
    const limit = checkPageSize(pageSize);
    const sagas = await this.resuming.listParked(limit + 1, pageToken || undefined);
    const page = sagas.slice(0, limit);
    const nextPageToken = sagas.length > limit ? (page.at(-1)?.order.orderId ?? '') : '';
    return { orders: page.map((saga) => ({ ...saga, order: toOrderMessage(saga.order) })), nextPageToken };
  }

  @Allow('operations:run', 'service:ops')
  async resumeOrder({ orderId }: ResumeOrderRequest): Promise<ResumeOrderResponse> {
    checkUuid('order_id', orderId);
    return { order: toOrderMessage(await this.resuming.resume(orderId)) };
  }

  private waitMs(): number {
    const { deadline } = callContext();
    const left = deadline ? deadline.getTime() - Date.now() - ANSWER_MS : Infinity;
    return Math.max(0, Math.min(this.wait.longestMs, left));
  }
}

/** What a request carries beside what it asks for. */
const NOT_ASKED_FOR = { requestId: '', accessToken: '' };

/** @returns what the caller's key stands for, or undefined where he gave none */
function claimFor(operation: string, key: string, request: unknown): Claim | undefined {
  checkOptionalRequestId(key);
  const principal = subjectOf(currentPrincipal()) ?? 'guest';
  return key === '' ? undefined : { principal, operation, key, fingerprint: fingerprintOf(request) };
}

/** Of an order to place. Kept with the order for ever, so it must stay as it is: today's request is known again by it. */
function digestOf(request: PlaceOrderRequest): string {
  const bytes = PlaceOrderRequest.encode({ ...request, requestId: '', clientAddress: '' }).finish();
  return createHash('sha256').update(bytes).digest('base64url');
}

function checkPageSize(pageSize: number): number {
  if (pageSize < 0 || pageSize > LARGEST_PAGE) {
    throw invalid([{ field: 'page_size', description: `must be from 1 to ${LARGEST_PAGE}` }]);
  }
  return pageSize || DEFAULT_PAGE;
}
