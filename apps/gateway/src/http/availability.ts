import { Inject, Injectable } from '@nestjs/common';
import type { Product } from '@souk/proto/catalog/v1';
import type { Logger } from '@souk/telemetry';
import { INVENTORY, type InventoryClient } from '../clients.js';
import { LOGGER } from '../tokens.js';
import type { Availability } from './products.view.js';

/** Most SKUs that inventory answers for in one call. */
const BATCH = 500;
/** Products are shown without stock rather than late. */
const TIMEOUT_MS = 1_000;

/** How many units of the shown products can be sold: one call for a page of products, as long as it has 500 SKUs at most. */
@Injectable()
export class StockReader {
  constructor(
    @Inject(INVENTORY) private readonly inventory: InventoryClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Undefined while inventory does not answer: a shop without stock figures is better than none. */
  async of(products: readonly Product[]): Promise<Availability> {
    const skus = products.flatMap(({ variants }) => variants.map(({ sku }) => sku));
    const batches = Array.from({ length: Math.ceil(skus.length / BATCH) }, (_, i) =>
      skus.slice(i * BATCH, (i + 1) * BATCH),
    );
    try {
      const answers = await Promise.all(
        batches.map((batch) => this.inventory.batchGetStock({ skus: batch }, { timeoutMs: TIMEOUT_MS })),
      );
      return new Map(answers.flatMap(({ stock }) => stock.map(({ sku, available }) => [sku, available] as const)));
    } catch (error) {
      this.logger.debug({ err: error }, 'products are shown without stock');
      return undefined;
    }
  }
}
