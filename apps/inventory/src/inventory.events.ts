/** The only mapping between events on the wire and the domain. */
import { outboxEvent, type OutboxEvent } from '@souk/outbox';
import type { VariantAdded } from '@souk/proto/catalog/v1';
import { StockLevelChanged } from '@souk/proto/inventory/v1';
import type { OrderConfirmed } from '@souk/proto/orders/v1';
import { checkOpening, checkOrderId } from './domain/request-rules.js';
import { available, type Stock } from './domain/stock.js';

/** Said whenever the number of units that can be sold has changed. */
export function stockLevelChanged(stock: Stock): OutboxEvent {
  return outboxEvent(
    'souk.inventory.v1.StockLevelChanged',
    stock.sku,
    { ...stock, available: available(stock) },
    StockLevelChanged,
  );
}

/** First units of a SKU. */
export interface Opening {
  readonly sku: string;
  readonly openingStock: number;
  /** Event that says so. */
  readonly cause: string;
}

export function toOpening(event: { id: string; data: VariantAdded }): Opening {
  checkOpening(event.data);
  return { sku: event.data.sku, openingStock: event.data.openingStock, cause: event.id };
}

/** The order whose units are sold. */
export function toSoldOrder(event: { data: OrderConfirmed }): string {
  const orderId = event.data.order?.orderId ?? '';
  checkOrderId(orderId);
  return orderId;
}
