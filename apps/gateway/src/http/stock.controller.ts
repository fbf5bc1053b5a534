import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Inject, Param, Post, Put, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Movement, Stock } from '@souk/proto/inventory/v1';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { INVENTORY, type InventoryClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails, TakesIfMatch, TakesIfNoneMatch } from './api-docs.js';
import { skuSchema } from './fields.schemas.js';
import { enumView, nextCursorView, required, timeView } from './fields.view.js';
import { markReplayed, OptionalKey, REPLAYED, RequiredKey } from './idempotency-key.js';
import { etagOf, expectedVersion, unchanged } from './preconditions.js';
import { adjustStockBody, listMovementsQuery, movementPageSchema, setStockBody, stockSchema } from './stock.schemas.js';

type StockView = z.infer<typeof stockSchema>;
type MovementView = z.infer<typeof movementPageSchema>['items'][number];

/** The same for everybody. */
const SHARED = { shared: true };

@ApiTags('Stock')
@Controller('v1/stock')
export class StockController {
  constructor(@Inject(INVENTORY) private readonly inventory: InventoryClient) {}

  @Get(':sku')
  @Access('public')
  @ApiOperation({ summary: 'Read the stock of a SKU' })
  @TakesIfNoneMatch()
  @Answers(200, 'The stock.', stockSchema, { ETag: 'Its version.' })
  @Fails({ 404: ['SKU_NOT_FOUND'] })
  async get(
    @Param('sku', { schema: skuSchema }) sku: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockView | undefined> {
    const { stock } = await this.inventory.getStock({ sku });
    const view = stockView(required(stock));
    return unchanged(request, reply, etagOf(view.version), SHARED) ? undefined : view;
  }

  @Put(':sku')
  @Access('stock:write')
  @ApiOperation({ summary: 'Set the units on hand after a count' })
  @TakesIfMatch()
  @Answers(200, 'The stock after the count.', stockSchema, { ETag: 'Its new version.', ...REPLAYED })
  @Fails({ 409: ['STOCK_BELOW_HELD'] })
  async set(
    @OptionalKey() key: string,
    @Param('sku', { schema: skuSchema }) sku: string,
    @Body({ schema: setStockBody }) { onHand }: z.infer<typeof setStockBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockView> {
    // A key of our own lets the call be tried again where inventory was away.
    const requestId = key || randomUUID();
    const expected = expectedVersion(request);
    const { stock, replayed } = await this.inventory.setStock({ sku, onHand, expectedVersion: expected, requestId });
    return changed(reply, stock, replayed);
  }

  @Post(':sku/adjustments')
  @HttpCode(200)
  @Access('stock:write')
  @ApiOperation({ summary: 'Add units that came in, or take some off' })
  @Answers(200, 'The stock after the change.', stockSchema, { ETag: 'Its new version.', ...REPLAYED })
  @Fails({ 404: ['SKU_NOT_FOUND'], 409: ['STOCK_BELOW_HELD'] })
  async adjust(
    @RequiredKey() requestId: string,
    @Param('sku', { schema: skuSchema }) sku: string,
    @Body({ schema: adjustStockBody }) { delta, reason = '' }: z.infer<typeof adjustStockBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockView> {
    const { stock, replayed } = await this.inventory.adjustStock({ sku, delta, reason, requestId });
    return changed(reply, stock, replayed);
  }

  @Get(':sku/movements')
  @Access('stock:read')
  @ApiOperation({ summary: 'List what changed the stock of a SKU, newest first' })
  @Answers(200, 'A page of movements.', movementPageSchema)
  async movements(
    @Param('sku', { schema: skuSchema }) sku: string,
    @Query({ schema: listMovementsQuery }) { limit, cursor }: z.infer<typeof listMovementsQuery>,
  ): Promise<z.infer<typeof movementPageSchema>> {
    const page = await this.inventory.listMovements({ sku, pageSize: limit, pageToken: cursor });
    return { items: page.movements.map(movementView), nextCursor: nextCursorView(page.nextPageToken) };
  }
}

function changed(reply: FastifyReply, stock: Stock | undefined, replayed: boolean): StockView {
  const view = stockView(required(stock));
  void reply.header('etag', etagOf(view.version));
  markReplayed(reply, replayed);
  return view;
}

function stockView({ sku, onHand, held, available, version }: Stock): StockView {
  return { sku, onHand, held, available, version };
}

function movementView({ movementId, sku, kind, onHandDelta, heldDelta, cause, createTime }: Movement): MovementView {
  return {
    id: String(movementId),
    sku,
    kind: enumView('KIND_', kind) as MovementView['kind'],
    onHandDelta,
    heldDelta,
    cause,
    time: timeView(createTime),
  };
}
