import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, Inject, Param, Put, Query, Req, Res } from '@nestjs/common';
import { ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Movement, Stock } from '@souk/proto/inventory/v1';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { INVENTORY, type InventoryClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails, TakesIfMatch, TakesIfNoneMatch } from './api-docs.js';
import { skuSchema } from './fields.schemas.js';
import { enumView, nextCursorView, required, timeView } from './fields.view.js';
import { optionalKey } from './idempotency-key.js';
import { etagOf, expectedVersion, unchanged } from './preconditions.js';
import { listMovementsQuery, movementPageSchema, setStockBody, stockSchema } from './stock.schemas.js';

type StockView = z.infer<typeof stockSchema>;
type MovementView = z.infer<typeof movementPageSchema>['items'][number];

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
    return unchanged(request, reply, etagOf(view.version)) ? undefined : view;
  }

  @Put(':sku')
  @Access('staff')
  @ApiOperation({ summary: 'Set the units on hand after a count' })
  @TakesIfMatch()
  @ApiHeader({ name: 'Idempotency-Key', required: false, description: 'UUID: the same key sets the stock once.' })
  @Answers(200, 'The stock after the count.', stockSchema, { ETag: 'Its new version.' })
  @Fails({ 409: ['STOCK_BELOW_HELD'] })
  async set(
    @Param('sku', { schema: skuSchema }) sku: string,
    @Body({ schema: setStockBody }) { onHand }: z.infer<typeof setStockBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<StockView> {
    const requestId = optionalKey(request) ?? randomUUID();
    const expected = expectedVersion(request);
    const { stock } = await this.inventory.setStock({ sku, onHand, expectedVersion: expected, requestId });
    const view = stockView(required(stock));
    void reply.header('etag', etagOf(view.version));
    return view;
  }

  @Get(':sku/movements')
  @Access('staff')
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
