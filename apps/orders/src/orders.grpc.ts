/** The RPCs of OrdersService: the only mapping between its messages and the domain. */
import { createHash } from 'node:crypto';
import { Allow, isStaff, userIdOf } from '@souk/auth';
import { invalid } from '@souk/errors';
import {
  Order_State,
  OrdersServiceService,
  PlaceOrderRequest,
  type CancelOrderRequest,
  type CancelOrderResponse,
  type FulfillOrderRequest,
  type FulfillOrderResponse,
  type GetOrderRequest,
  type GetOrderResponse,
  type ListOrdersRequest,
  type ListOrdersResponse,
  type PlaceOrderResponse,
} from '@souk/proto/orders/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { callContext } from '@souk/telemetry';
import { OrderAccess } from './access.js';
import { CancelOrder } from './cancel-order.js';
import { fulfillOrder } from './domain/order.js';
import { checkUuid } from './domain/order-input.js';
import type { OrderState } from './domain/order-state.js';
import { toOrderMessage } from './orders.messages.js';
import { OrdersStore } from './orders.store.js';
import { PlaceOrder } from './place-order.js';

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
    private readonly access: OrderAccess,
    private readonly wait: OrderWait,
  ) {}

  @Allow('anyone')
  async placeOrder(request: PlaceOrderRequest): Promise<PlaceOrderResponse> {
    const { requestId, lines, cartId, email, shippingAddress, payment } = request;
    const command = {
      requestId,
      lines,
      ...(cartId && { cartId }),
      email,
      shippingAddress,
      payment: { method: payment?.method ?? '', token: payment?.token ?? '' },
      principal: currentPrincipal(),
      fingerprint: fingerprintOf(request),
    };
    const { order, replayed } = await this.placing.execute(command, this.waitMs());
    return { order: toOrderMessage(order), accessToken: this.access.tokenFor(order.orderId), replayed };
  }

  @Allow('anyone')
  async getOrder({ orderId, accessToken }: GetOrderRequest): Promise<GetOrderResponse> {
    checkUuid('order_id', orderId);
    const order = await this.orders.get(orderId);
    this.access.check(order, currentPrincipal(), accessToken);
    return { order: toOrderMessage(order) };
  }

  @Allow('user')
  async listOrders({ pageSize, pageToken, state }: ListOrdersRequest): Promise<ListOrdersResponse> {
    if (pageToken) checkUuid('page_token', pageToken);
    const limit = checkPageSize(pageSize);
    const principal = currentPrincipal();
    const orders = await this.orders.list({
      limit: limit + 1,
      ...(!isStaff(principal) && { customerId: userIdOf(principal) }),
      ...(state !== Order_State.STATE_UNSPECIFIED && { state: state.replace('STATE_', '') as OrderState }),
      ...(pageToken && { before: pageToken }),
    });
    const page = orders.slice(0, limit);
    const nextPageToken = orders.length > limit ? (page.at(-1)?.orderId ?? '') : '';
    return { orders: page.map(toOrderMessage), nextPageToken };
  }

  @Allow('anyone')
  async cancelOrder({ orderId, accessToken }: CancelOrderRequest): Promise<CancelOrderResponse> {
    checkUuid('order_id', orderId);
    const caller = { principal: currentPrincipal(), accessToken };
    return { order: toOrderMessage(await this.cancelling.execute(orderId, caller, this.waitMs())) };
  }

  @Allow('staff')
  async fulfillOrder({ orderId, tracking }: FulfillOrderRequest): Promise<FulfillOrderResponse> {
    checkUuid('order_id', orderId);
    const { order } = await this.orders.update(orderId, (present) => fulfillOrder(present, tracking, new Date()));
    return { order: toOrderMessage(order) };
  }

  private waitMs(): number {
    const { deadline } = callContext();
    const left = deadline ? deadline.getTime() - Date.now() - ANSWER_MS : Infinity;
    return Math.max(0, Math.min(this.wait.longestMs, left));
  }
}

/** Digest of all that the request asks for; its key is not part of that. */
function fingerprintOf(request: PlaceOrderRequest): string {
  const bytes = PlaceOrderRequest.encode({ ...request, requestId: '' }).finish();
  return createHash('sha256').update(bytes).digest('base64url');
}

function checkPageSize(pageSize: number): number {
  if (pageSize < 0 || pageSize > LARGEST_PAGE) {
    throw invalid([{ field: 'page_size', description: `must be from 1 to ${LARGEST_PAGE}` }]);
  }
  return pageSize || DEFAULT_PAGE;
}
