import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Post, Put, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { hasReason } from '@souk/errors';
import type { Cart } from '@souk/proto/orders/v1';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { CARTS, type CartsClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails, TakesIfMatch } from './api-docs.js';
import { cartHoldSchema, cartSchema, setLineBody } from './carts.schemas.js';
import { idSchema, skuSchema } from './fields.schemas.js';
import { moneyView, present, required, timeView } from './fields.view.js';
import { lineView } from './orders.view.js';
import { etagOf, expectedVersion } from './preconditions.js';
import { ProblemError } from './problem.js';

type CartView = z.infer<typeof cartSchema>;

const LINE_FAILURES = { 404: ['CART_NOT_FOUND'], 409: ['CART_ORDERED', 'CART_FULL', 'SKU_NOT_FOR_SALE'] };

@ApiTags('Carts')
@Controller('v1/carts')
export class CartsController {
  constructor(@Inject(CARTS) private readonly carts: CartsClient) {}

  @Post()
  @Access('anyone')
  @ApiOperation({ summary: 'Make an empty cart' })
  @Answers(201, 'The cart.', cartSchema, { Location: 'Address of the cart.', ETag: 'Its version.' })
  async create(@Res({ passthrough: true }) reply: FastifyReply): Promise<CartView> {
    const { cart } = await this.carts.createCart({});
    const view = answered(cart, reply);
    void reply.header('location', `/v1/carts/${view.id}`);
    return view;
  }

  @Get(':id')
  @Access('anyone')
  @ApiOperation({ summary: "Read a cart at today's prices" })
  @Answers(200, 'The cart.', cartSchema, { ETag: 'Its version; prices may change without it.' })
  @Fails({ 404: ['CART_NOT_FOUND'] })
  async get(
    @Param('id', { schema: idSchema }) cartId: string,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CartView> {
    const { cart } = await this.carts.getCart({ cartId });
    return answered(cart, reply);
  }

  @Put(':id/lines/:sku')
  @Access('anyone')
  @ApiOperation({ summary: 'Set the quantity of a SKU' })
  @TakesIfMatch()
  @Answers(200, 'The cart after the change.', cartSchema, { ETag: 'Its new version.' })
  @Fails(LINE_FAILURES)
  async setLine(
    @Param('id', { schema: idSchema }) cartId: string,
    @Param('sku', { schema: skuSchema }) sku: string,
    @Body({ schema: setLineBody }) { quantity }: z.infer<typeof setLineBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CartView> {
    const { cart } = await this.carts.setCartLine({ cartId, sku, quantity, expectedVersion: expectedVersion(request) });
    return answered(cart, reply);
  }

  @Delete(':id/lines/:sku')
  @Access('anyone')
  @ApiOperation({ summary: 'Take a SKU out of a cart' })
  @TakesIfMatch()
  @Answers(200, 'The cart after the change.', cartSchema, { ETag: 'Its new version.' })
  @Fails({ 404: ['CART_NOT_FOUND'], 409: ['CART_ORDERED'] })
  async removeLine(
    @Param('id', { schema: idSchema }) cartId: string,
    @Param('sku', { schema: skuSchema }) sku: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<CartView> {
    const expected = expectedVersion(request);
    const { cart } = await this.carts.setCartLine({ cartId, sku, quantity: 0, expectedVersion: expected });
    return answered(cart, reply);
  }

  @Post(':id/hold')
  @HttpCode(200)
  @Access('anyone')
  @ApiOperation({
    summary: 'Hold the stock of a cart for some minutes',
    description:
      'Nobody else can buy it meanwhile; placing the order takes it over. Called again, it holds the present lines and ' +
      'the time begins anew.',
  })
  @Answers(200, 'All lines are held.', cartHoldSchema)
  @Fails({ 404: ['CART_NOT_FOUND'], 409: ['STOCK_SHORT', 'CART_EMPTY', 'CART_ORDERED'] })
  async hold(@Param('id', { schema: idSchema }) cartId: string): Promise<z.infer<typeof cartHoldSchema>> {
    const { expireTime } = await this.carts.holdCart({ cartId }).catch(failWithShortages);
    return { expiresAt: timeView(expireTime) };
  }

  @Delete(':id')
  @HttpCode(204)
  @Access('anyone')
  @ApiOperation({ summary: 'Delete a cart' })
  @Answers(204, 'The cart is gone.')
  @Fails({ 404: ['CART_NOT_FOUND'] })
  async remove(@Param('id', { schema: idSchema }) cartId: string): Promise<void> {
    await this.carts.deleteCart({ cartId });
  }
}

/** An error's facts are texts; a problem document shows the shortages like that of a refused order. */
function failWithShortages(error: unknown): never {
  const shortages = hasReason(error, 'STOCK_SHORT') ? error.metadata['shortages'] : undefined;
  if (!hasReason(error, 'STOCK_SHORT') || !shortages) throw error;
  throw new ProblemError(error, { shortages: JSON.parse(shortages) as unknown });
}

function answered(answer: Cart | undefined, reply: FastifyReply): CartView {
  const cart = required(answer);
  void reply.header('etag', etagOf(cart.version));
  return {
    id: cart.cartId,
    lines: cart.lines.map(lineView),
    total: cart.total ? moneyView(cart.total) : null,
    unavailableSkus: cart.unavailableSkus,
    ...present('orderId', cart.orderId),
    version: cart.version,
    createdAt: timeView(cart.createTime),
    updatedAt: timeView(cart.updateTime),
  };
}
