/** The only mapping between RPCs and the domain. */
import { Allow } from '@souk/auth';
import { invalid } from '@souk/errors';
import {
  InventoryServiceService,
  type BatchGetStockRequest,
  type BatchGetStockResponse,
  type GetStockRequest,
  type GetStockResponse,
  type HoldStockRequest,
  type HoldStockResponse,
  type ListMovementsRequest,
  type ListMovementsResponse,
  type Movement,
  type ReleaseStockRequest,
  type ReleaseStockResponse,
  type SetStockRequest,
  type SetStockResponse,
  type Stock,
} from '@souk/proto/inventory/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import { skuNotFound } from './domain/inventory-errors.js';
import { checkCount, checkHold, checkOrderId, checkSku, checkSkus } from './domain/request-rules.js';
import { available, type Stock as StockLevel } from './domain/stock.js';
import type { MovementRow } from './stock.statements.js';
import { StockStore } from './stock.store.js';

const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 100;

@RpcController(InventoryServiceService)
export class InventoryGrpc implements Handlers<typeof InventoryServiceService> {
  constructor(private readonly store: StockStore) {}

  @Allow('anyone')
  async getStock({ sku }: GetStockRequest): Promise<GetStockResponse> {
    checkSku(sku);
    const [stock] = await this.store.get([sku]);
    if (!stock) throw skuNotFound(sku);
    return { stock: toMessage(stock) };
  }

  @Allow('anyone')
  async batchGetStock({ skus }: BatchGetStockRequest): Promise<BatchGetStockResponse> {
    checkSkus(skus);
    return { stock: (await this.store.get(skus)).map(toMessage) };
  }

  @Allow('staff')
  async setStock(request: SetStockRequest): Promise<SetStockResponse> {
    checkCount(request);
    const stock = await this.store.count({
      sku: request.sku,
      onHand: request.onHand,
      expectedVersion: request.expectedVersion || undefined,
      requestId: request.requestId || undefined,
    });
    return { stock: toMessage(stock) };
  }

  @Allow('service:orders')
  async holdStock(request: HoldStockRequest): Promise<HoldStockResponse> {
    checkHold(request);
    const { state, shortages } = await this.store.hold(request.orderId, request.lines);
    return { state: `STATE_${state}`, shortages: [...shortages] };
  }

  @Allow('service:orders')
  async releaseStock({ orderId }: ReleaseStockRequest): Promise<ReleaseStockResponse> {
    checkOrderId(orderId);
    const { state } = await this.store.release(orderId);
    return { state: `STATE_${state}` };
  }

  @Allow('staff')
  async listMovements({ sku, pageSize, pageToken }: ListMovementsRequest): Promise<ListMovementsResponse> {
    checkSku(sku);
    const limit = toPageSize(pageSize);
    const rows = await this.store.movements(sku, { limit: limit + 1, before: fromPageToken(pageToken) });
    const page = rows.slice(0, limit);
    const nextPageToken = rows.length > limit ? String(page.at(-1)?.movement_id) : '';
    return { movements: page.map(toMovement), nextPageToken };
  }
}

function toMessage(stock: StockLevel): Stock {
  return { ...stock, available: available(stock) };
}

function toMovement(row: MovementRow): Movement {
  return {
    movementId: row.movement_id,
    sku: row.sku,
    kind: `KIND_${row.kind}`,
    onHandDelta: row.on_hand_delta,
    heldDelta: row.held_delta,
    cause: row.cause,
    createTime: row.created_at,
  };
}

function toPageSize(pageSize: number): number {
  if (pageSize >= 0 && pageSize <= MAX_PAGE_SIZE) return pageSize || DEFAULT_PAGE_SIZE;
  throw invalid([{ field: 'page_size', description: `1 to ${MAX_PAGE_SIZE}, or 0 for ${DEFAULT_PAGE_SIZE}` }]);
}

function fromPageToken(token: string): bigint | undefined {
  if (token === '') return undefined;
  if (/^\d{1,18}$/.test(token)) return BigInt(token);
  throw invalid([{ field: 'page_token', description: 'not a token of this list' }]);
}
