// Answers what SKUs cost now; on the way of every order. Guarantees: calls that come while a query is under way share the
// next one. Reads what is committed: a price that changes at the same moment may or may not be seen.
import { Batcher } from '@souk/batching';
import { sql, type Database } from '@souk/postgres';
import type { VariantOffer } from '@souk/proto/catalog/v1';

// Whether a SKU is on sale is asked in a way that only the primary key can serve: while the table is small, the planner
// would rather read all of the partial index of what is on sale, and keep that plan when the table has grown.
const OFFERS = sql(
  'catalog.offers',
  `SELECT v.sku, v.product_id, p.title AS product, v.title AS variant, jsonb_array_length(v.options) AS options,
          v.price_amount, v.currency
     FROM variants v JOIN products p ON p.id = v.product_id
    WHERE v.sku = ANY($1::text[]) AND COALESCE(v.deleted_at, 'infinity') = 'infinity'`,
);

interface OfferRow {
  sku: string;
  product_id: string;
  product: string;
  variant: string;
  options: number;
  price_amount: bigint;
  currency: string;
}

export class PriceList {
  private readonly batcher = new Batcher<string[], VariantOffer[]>((calls) => this.find(calls), { maxBatch: 64 });

  constructor(private readonly database: Database) {}

  /** One offer for each SKU that is on sale. */
  offers(skus: string[]): Promise<VariantOffer[]> {
    return this.batcher.add(skus);
  }

  private async find(calls: string[][]): Promise<VariantOffer[][]> {
    const wanted = calls.map((skus) => new Set(skus));
    const distinct = new Set(calls.flat());
    const rows = await this.database.query<OfferRow>(OFFERS, [[...distinct]]);
    const offers = rows.map(toOffer);
    if (calls.length === 1) return [offers];
    const bySku = new Map(offers.map((offer) => [offer.sku, offer]));
    return wanted.map((skus) => [...skus].flatMap((sku) => bySku.get(sku) ?? []));
  }
}

function toOffer(row: OfferRow): VariantOffer {
  return {
    sku: row.sku,
    productId: row.product_id,
    title: row.options === 0 ? row.product : `${row.product} (${row.variant})`,
    price: { amount: row.price_amount, currency: row.currency },
  };
}
