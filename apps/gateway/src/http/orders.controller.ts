import { Body, Controller, Get, HttpCode, Inject, Param, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiQuery, ApiTags } from '@nestjs/swagger';
import type { Order } from '@souk/proto/orders/v1';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ORDERS, type OrdersClient } from '../clients.js';
import { Access, orderToken } from './access.js';
import { Answers, Fails, TakesIfNoneMatch } from './api-docs.js';
import { idSchema } from './fields.schemas.js';
import { nextCursorView, present, required } from './fields.view.js';
import { markReplayed, OptionalKey, REPLAYED, RequiredKey } from './idempotency-key.js';
import { OrderStreams } from './order-stream.js';
import {
  fulfillBody,
  listOrdersQuery,
  orderPageSchema,
  orderSchema,
  placedOrderSchema,
  placeOrderBody,
  timelineSchema,
} from './orders.schemas.js';
import { orderView, rejectionProblem, timelineView, toPlaceOrder, type OrderView } from './orders.view.js';
import { etagOf, unchanged } from './preconditions.js';

/** The orders service answers earlier by itself, with PENDING where it must. */
const PLACE_TIMEOUT_MS = 10_000;
const RETRY_AFTER_S = 1;

/** A guest's order takes its access token where there is no login. */
const GuestToken = () =>
  ApiQuery({
    name: 'accessToken',
    required: false,
    description: "A guest's token, unless it is the bearer token.",
    type: String,
  });

@ApiTags('Orders')
@Controller('v1/orders')
export class OrdersController {
  constructor(
    @Inject(ORDERS) private readonly orders: OrdersClient,
    private readonly streams: OrderStreams,
  ) {}

  @Post()
  @Access('anyone')
  @ApiOperation({ summary: 'Place an order' })
  @Answers(201, 'The order is confirmed.', placedOrderSchema, {
    Location: 'Address of the order.',
    ETag: 'Its version.',
    'Idempotency-Replayed': '`true` where the key, or the cart, had been used before.',
  })
  @Answers(202, 'The order is acknowledged and will be settled; ask again.', placedOrderSchema, {
    Location: 'Address of the order.',
    'Retry-After': 'Seconds to wait before asking.',
  })
  @Fails({
    402: ['PAYMENT_DECLINED'],
    404: ['CART_NOT_FOUND'],
    409: ['STOCK_SHORT', 'SKU_NOT_FOR_SALE', 'CART_EMPTY', 'TOTAL_CHANGED'],
    429: ['RATE_LIMITED', 'PAYMENT_ATTEMPTS_EXCEEDED'],
    504: ['DEADLINE_EXCEEDED'],
  })
  async place(
    @RequiredKey() key: string,
    @Body({ schema: placeOrderBody }) body: z.infer<typeof placeOrderBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof placedOrderSchema>> {
    const answer = await this.orders.placeOrder(toPlaceOrder(key, body, request.ip), { timeoutMs: PLACE_TIMEOUT_MS });
    const order = required(answer.order);
    markReplayed(reply, answer.replayed);
    if (order.state === 'STATE_REJECTED') throw rejectionProblem(order);
    void reply.headers({ location: `/v1/orders/${order.orderId}`, etag: etagOf(order.version) });
    if (order.state === 'STATE_PENDING') void reply.status(202).header('retry-after', RETRY_AFTER_S);
    return { ...orderView(order), ...present('accessToken', answer.accessToken) };
  }

  @Get()
  @Access('user', 'orders:read')
  @ApiOperation({ summary: "List the caller's orders, newest first; with `orders:read`, all orders" })
  @Answers(200, 'A page of orders.', orderPageSchema)
  async list(
    @Query({ schema: listOrdersQuery }) { limit, cursor, state }: z.infer<typeof listOrdersQuery>,
  ): Promise<z.infer<typeof orderPageSchema>> {
    const { orders, nextPageToken } = await this.orders.listOrders({
      pageSize: limit,
      pageToken: cursor,
      state: state ? `STATE_${state}` : 'STATE_UNSPECIFIED',
    });
    return { items: orders.map(orderView), nextCursor: nextCursorView(nextPageToken) };
  }

  @Get(':id')
  @Access('anyone')
  @ApiOperation({ summary: 'Read an order' })
  @GuestToken()
  @TakesIfNoneMatch()
  @Answers(200, 'The order.', orderSchema, { ETag: 'Its version.' })
  @Fails({ 404: ['ORDER_NOT_FOUND'] })
  async get(
    @Param('id', { schema: idSchema }) orderId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderView | undefined> {
    const order = await this.read(orderId, request);
    return unchanged(request, reply, etagOf(order.version)) ? undefined : orderView(order);
  }

  @Get(':id/timeline')
  @Access('anyone')
  @ApiOperation({ summary: 'Read what happened to an order' })
  @GuestToken()
  @Answers(200, 'What happened, oldest first.', timelineSchema)
  @Fails({ 404: ['ORDER_NOT_FOUND'] })
  async timeline(
    @Param('id', { schema: idSchema }) orderId: string,
    @Req() request: FastifyRequest,
  ): Promise<z.infer<typeof timelineSchema>> {
    return timelineView(await this.read(orderId, request));
  }

  @Get(':id/events')
  @Access('anyone')
  @ApiOperation({
    summary: 'Follow an order',
    description: 'Each event is an `order` with the order as its data; the first is the present order.',
  })
  @GuestToken()
  @ApiProduces('text/event-stream')
  @Answers(200, 'A stream of server-sent events.', z.string())
  @Fails({ 404: ['ORDER_NOT_FOUND'], 503: ['TOO_MANY_STREAMS'] })
  events(
    @Param('id', { schema: idSchema }) orderId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): AsyncGenerator<string> {
    const gone = new AbortController();
    reply.raw.once('close', () => gone.abort());
    void reply.headers({ 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    return this.streams.events({ orderId, accessToken: orderToken(request) }, gone.signal);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @Access('anyone')
  @ApiOperation({ summary: 'Call an order off' })
  @GuestToken()
  @Answers(200, 'The order: CANCELLED, or still PENDING with the cancellation noted.', orderSchema, {
    ETag: 'Its version.',
    ...REPLAYED,
  })
  @Fails({ 404: ['ORDER_NOT_FOUND'], 409: ['ORDER_NOT_CANCELLABLE'] })
  async cancel(
    @OptionalKey() requestId: string,
    @Param('id', { schema: idSchema }) orderId: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderView> {
    const accessToken = orderToken(request);
    return changed(await this.orders.cancelOrder({ orderId, accessToken, requestId }), reply);
  }

  @Post(':id/fulfill')
  @HttpCode(200)
  @Access('orders:write')
  @ApiOperation({ summary: 'Mark an order as handed to the carrier' })
  @Answers(200, 'The order.', orderSchema, { ETag: 'Its version.', ...REPLAYED })
  @Fails({ 404: ['ORDER_NOT_FOUND'], 409: ['ORDER_NOT_FULFILLABLE'] })
  async fulfill(
    @OptionalKey() requestId: string,
    @Param('id', { schema: idSchema }) orderId: string,
    @Body({ schema: fulfillBody }) body: z.infer<typeof fulfillBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<OrderView> {
    const tracking = body?.tracking ?? '';
    return changed(await this.orders.fulfillOrder({ orderId, tracking, requestId }), reply);
  }

  private async read(orderId: string, request: FastifyRequest): Promise<Order> {
    const { order } = await this.orders.getOrder({ orderId, accessToken: orderToken(request) });
    return required(order);
  }
}

function changed(answer: { order?: Order | undefined; replayed: boolean }, reply: FastifyReply): OrderView {
  const order = required(answer.order);
  markReplayed(reply, answer.replayed);
  void reply.header('etag', etagOf(order.version));
  return orderView(order);
}
