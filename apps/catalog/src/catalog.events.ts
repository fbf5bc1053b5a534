import { ProductChanged, ProductDeleted, VariantAdded } from '@souk/proto/catalog/v1';
import { outboxEvent, type OutboxEvent } from '@souk/outbox';

/** A SKU came on sale for the first time. */
export function variantAdded(event: VariantAdded): OutboxEvent {
  return outboxEvent('souk.catalog.v1.VariantAdded', event.sku, event, VariantAdded);
}

/** A product was added or changed. */
export function productChanged(event: ProductChanged): OutboxEvent {
  return outboxEvent('souk.catalog.v1.ProductChanged', event.productId, event, ProductChanged);
}

/** A product was taken off sale. */
export function productDeleted(event: ProductDeleted): OutboxEvent {
  return outboxEvent('souk.catalog.v1.ProductDeleted', event.productId, event, ProductDeleted);
}
