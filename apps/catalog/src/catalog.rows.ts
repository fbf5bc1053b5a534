import type { Category, Image, Option, Product, Variant } from '@souk/proto/catalog/v1';

/** A product as selected by {@link PRODUCT_COLUMNS}. */
export interface ProductRow {
  id: string;
  slug: string;
  title: string;
  description_html: string;
  vendor: string;
  product_type: string;
  tags: string[];
  images: Image[];
  version: number;
  created_at: Date;
  updated_at: Date;
}

export const PRODUCT_COLUMNS = `p.id, p.slug, p.title, p.description_html, p.vendor, p.product_type, p.tags, p.images,
  p.version, p.created_at, p.updated_at`;

export interface VariantRow {
  product_id: string;
  sku: string;
  title: string;
  options: Option[];
  price_amount: bigint;
  currency: string;
  compare_at_amount: bigint | null;
  barcode: string;
  grams: number;
}

export const VARIANT_COLUMNS =
  'product_id, sku, title, options, price_amount, currency, compare_at_amount, barcode, grams';

export function toProduct(row: ProductRow, variants: Variant[], categories: Category[]): Product {
  return {
    productId: row.id,
    slug: row.slug,
    title: row.title,
    descriptionHtml: row.description_html,
    vendor: row.vendor,
    productType: row.product_type,
    tags: row.tags,
    categories,
    images: row.images,
    variants,
    version: row.version,
    createTime: row.created_at,
    updateTime: row.updated_at,
  };
}

export function toVariant(row: VariantRow): Variant {
  const { sku, title, options, currency, barcode, grams } = row;
  const compareAt = row.compare_at_amount;
  return {
    sku,
    title,
    options,
    price: { amount: row.price_amount, currency },
    compareAtPrice: compareAt === null ? undefined : { amount: compareAt, currency },
    barcode,
    grams,
  };
}
