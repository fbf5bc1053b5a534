import { Batcher } from '@souk/batching';
import type { CatalogServiceService } from '@souk/proto/catalog/v1';
import type { RpcClient } from '@souk/rpc';
import type { Offer } from './domain/order-pricing.js';

/** Most SKUs that the catalogue answers at once. */
const MOST_SKUS = 500;

/** What the catalogue asks for SKUs now. Look-ups that arrive together share one call. */
export class Prices {
  private readonly lookups = new Batcher<string, Offer | undefined>((skus) => this.lookUp(skus), {
    maxBatch: MOST_SKUS,
  });

  constructor(private readonly catalog: Pick<RpcClient<CatalogServiceService>, 'batchGetVariants'>) {}

  /** @returns the offers by SKU; a SKU that is not for sale is missing */
  async offersFor(skus: readonly string[]): Promise<Map<string, Offer>> {
    const offers = await Promise.all([...new Set(skus)].map((sku) => this.lookups.add(sku)));
    return new Map(offers.flatMap((offer) => (offer ? [[offer.sku, offer]] : [])));
  }

  private async lookUp(skus: readonly string[]): Promise<(Offer | undefined)[]> {
    const { variants } = await this.catalog.batchGetVariants({ skus: [...new Set(skus)] });
    const offers = new Map(variants.map(({ sku, title, price }) => [sku, price && { sku, title, price }]));
    return skus.map((sku) => offers.get(sku));
  }
}
