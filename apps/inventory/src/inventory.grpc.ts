/** The only mapping between RPCs and the domain. */
import { Allow, subjectOf } from '@souk/auth';
import { invalid } from '@souk/errors';
import { fingerprintOf, type Claim } from '@souk/idempotency';
import {
  AdjustStockRequest,
  InventoryServiceService,
  SetStockRequest,
  type AdjustStockResponse,
  type BatchGetHoldsRequest,
  type BatchGetHoldsResponse,
  type BatchGetStockRequest,
  type BatchGetStockResponse,
  type GetStockRequest,
  type GetStockResponse,
  type Hold,
  type HoldCartRequest,
  type HoldCartResponse,
  type HoldStockRequest,
  type HoldStockResponse,
  type ListHoldsRequest,
  type ListHoldsResponse,
  type ListMovementsRequest,
  type ListMovementsResponse,
  type Movement,
  type ReleaseCartRequest,
  type ReleaseCartResponse,
  type ReleaseStockRequest,
  type ReleaseStockResponse,
  type SetStockResponse,
  type Stock,
} from '@souk/proto/inventory/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { skuNotFound } from './domain/inventory-errors.js';
import {
  checkAdjustment,
  checkCartHold,
  checkCartId,
  checkCount,
  checkHold,
  checkOrderId,
  checkOrderIds,
  checkSku,
  checkSkus,
} from './domain/request-rules.js';
import { available, type Stock as StockLevel } from './domain/stock.js';
import { StockCorrections } from './stock-corrections.js';
import type { DatedHoldRow, MovementRow } from './stock.statements.js';
import { StockStore } from './stock.store.js';

@RpcController(InventoryServiceService)
export class InventoryGrpc implements Handlers<typeof InventoryServiceService> {
  constructor(
    private readonly store: StockStore,
    private readonly corrections: StockCorrections,
  ) {}

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

  @Allow('stock:write')
  async setStock(request: SetStockRequest): Promise<SetStockResponse> {
    checkCount(request);
    const { sku, onHand, expectedVersion } = request;
    const count = { sku, onHand, expectedVersion: expectedVersion || undefined };
    const by = claimOf('SetStock', request.requestId, SetStockRequest.toJSON(request));
    const { answer, replayed } = await this.corrections.count(count, by);
    return { stock: toMessage(answer), replayed };
  }

  @Allow('stock:write')
  async adjustStock(request: AdjustStockRequest): Promise<AdjustStockResponse> {
    checkAdjustment(request);
    const by = claimOf('AdjustStock', request.requestId, AdjustStockRequest.toJSON(request));
    const { answer, replayed } = await this.corrections.adjust(request, by);
    return { stock: toMessage(answer), replayed };
  }

  @Allow('service:orders')
  async holdStock(request: HoldStockRequest): Promise<HoldStockResponse> {
    checkHold(request);
    const { orderId, lines, cartId } = request;
    const { state, shortages } = await this.store.hold(orderId, lines, cartId || undefined);
    return { state: `STATE_${state}`, shortages: [...shortages] };
  }

  @Allow('service:orders', 'service:ops')
  async releaseStock({ orderId }: ReleaseStockRequest): Promise<ReleaseStockResponse> {
    checkOrderId(orderId);
    const { state } = await this.store.release(orderId);
    return { state: `STATE_${state}` };
  }

  @Allow('service:orders')
  async holdCart({ cartId, lines, timeToLive }: HoldCartRequest): Promise<HoldCartResponse> {
    const timeToLiveMs = timeToLive ? Number(timeToLive.seconds) * 1_000 + timeToLive.nanos / 1_000_000 : 0;
    checkCartHold({ cartId, lines, timeToLiveMs });
    const { cartHold, shortages } = await this.store.holdCart(cartId, lines, timeToLiveMs);
    const expireTime = shortages.length === 0 ? cartHold?.expiresAt : undefined;
    return { shortages: [...shortages], expireTime };
  }

  @Allow('service:orders')
  async releaseCart({ cartId }: ReleaseCartRequest): Promise<ReleaseCartResponse> {
    checkCartId(cartId);
    await this.store.releaseCart(cartId);
    return {};
  }

  @Allow('service:orders', 'service:ops')
  async batchGetHolds({ orderIds }: BatchGetHoldsRequest): Promise<BatchGetHoldsResponse> {
    checkOrderIds(orderIds);
    return { holds: (await this.store.holdsOf(orderIds)).map(toHold) };
  }

  @Allow('service:orders', 'service:ops')
  async listHolds({ before, pageSize, pageToken }: ListHoldsRequest): Promise<ListHoldsResponse> {
    if (!before) throw invalid([{ field: 'before', description: 'must be given' }]);
    if (pageToken !== '') checkOrderId(pageToken, 'page_token');
    const limit = toPageSize(pageSize, { usual: 100, most: 500 });
    const rows = await this.store.held(before, { limit: limit + 1, after: pageToken });
    const page = rows.slice(0, limit);
    const nextPageToken = rows.length > limit ? (page.at(-1)?.order_id ?? '') : '';
    return { holds: page.map(toHold), nextPageToken };
  }

  @Allow('stock:read')
  async listMovements({ sku, pageSize, pageToken }: ListMovementsRequest): Promise<ListMovementsResponse> {
    checkSku(sku);
    const limit = toPageSize(pageSize, { usual: 50, most: 100 });
    const rows = await this.store.movements(sku, { limit: limit + 1, before: fromPageToken(pageToken) });
    const page = rows.slice(0, limit);
    const nextPageToken = rows.length > limit ? String(page.at(-1)?.movement_id) : '';
    return { movements: page.map(toMovement), nextPageToken };
  }
}

function claimOf(operation: string, key: string, request: unknown): Claim {
  const principal = subjectOf(currentPrincipal()) ?? 'guest';
  return { principal, operation, key, fingerprint: fingerprintOf(request) };
}

function toMessage(stock: StockLevel): Stock {
  return { ...stock, available: available(stock) };
}

function toHold(row: DatedHoldRow): Hold {
  return {
    orderId: row.order_id,
    state: `STATE_${row.state}`,
    lines: row.lines,
    createTime: row.created_at,
    updateTime: row.updated_at,
  };
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
    reason: row.reason,
  };
}

function toPageSize(pageSize: number, { usual, most }: { usual: number; most: number }): number {
  if (pageSize >= 0 && pageSize <= most) return pageSize || usual;
  throw invalid([{ field: 'page_size', description: `1 to ${most}, or 0 for ${usual}` }]);
}

function fromPageToken(token: string): bigint | undefined {
  if (token === '') return undefined;
  if (/^\d{1,18}$/.test(token)) return BigInt(token);
  throw invalid([{ field: 'page_token', description: 'not a token of this list' }]);
}
