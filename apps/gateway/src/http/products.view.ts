/** Products between REST and the catalogue's messages; stock comes from inventory. */
import type { Product, UpdateProductRequest, Variant } from '@souk/proto/catalog/v1';
import type { z } from 'zod';
import { moneyView, present, required, timeView } from './fields.view.js';
import { etagOf } from './preconditions.js';
import type { createProductBody, productSchema, updateProductBody } from './products.schemas.js';

export type ProductView = z.infer<typeof productSchema>;
type VariantInput = z.infer<typeof createProductBody>['variants'][number];

/** Units available by SKU; undefined while inventory can't be asked. */
export type Availability = ReadonlyMap<string, number> | undefined;

export function productView(product: Product, stock: Availability): ProductView {
  return {
    id: product.productId,
    slug: product.slug,
    title: product.title,
    descriptionHtml: product.descriptionHtml,
    vendor: product.vendor,
    productType: product.productType,
    tags: product.tags,
    categories: product.categories.map(({ slug, name }) => ({ slug, name })),
    images: product.images.map(({ url, alt }) => ({ url, alt })),
    variants: product.variants.map((variant) => variantView(variant, stock)),
    version: product.version,
    createdAt: timeView(product.createTime),
    updatedAt: timeView(product.updateTime),
  };
}

function variantView(variant: Variant, stock: Availability): ProductView['variants'][number] {
  return {
    sku: variant.sku,
    title: variant.title,
    options: variant.options.map(({ name, value }) => ({ name, value })),
    price: moneyView(required(variant.price)),
    ...(variant.compareAtPrice ? { compareAtPrice: moneyView(variant.compareAtPrice) } : {}),
    // A SKU that inventory has not heard of yet has nothing on the shelf.
    available: stock ? (stock.get(variant.sku) ?? 0) : null,
    ...present('barcode', variant.barcode),
    ...(variant.grams > 0 ? { grams: variant.grams } : {}),
  };
}

/** What a product's representation depends on beside its version. */
export function stockFingerprint(product: ProductView): string {
  return product.variants.map(({ available }) => available).join();
}

export function productEtag(product: ProductView): string {
  return etagOf(product.version, stockFingerprint(product));
}

export function toProduct(body: z.infer<typeof createProductBody>): Product {
  return {
    productId: '',
    slug: body.slug ?? '',
    title: body.title,
    descriptionHtml: body.descriptionHtml ?? '',
    vendor: body.vendor ?? '',
    productType: body.productType ?? '',
    tags: body.tags ?? [],
    categories: body.categories ?? [],
    images: (body.images ?? []).map(({ url, alt = '' }) => ({ url, alt })),
    variants: body.variants.map(toVariant),
    version: 0,
    createTime: undefined,
    updateTime: undefined,
  };
}

export function toUpdate(
  product: string,
  expectedVersion: number,
  body: z.infer<typeof updateProductBody>,
): UpdateProductRequest {
  return {
    product,
    expectedVersion,
    title: body.title,
    descriptionHtml: body.descriptionHtml,
    vendor: body.vendor,
    productType: body.productType,
    tags: body.tags && { tags: body.tags },
    variants: body.variants && { variants: body.variants.map(toVariant) },
  };
}

function toVariant(variant: VariantInput): Variant {
  const toMoney = (price: { amount: number; currency: string }) => ({ ...price, amount: BigInt(price.amount) });
  return {
    sku: variant.sku ?? '',
    title: variant.title ?? '',
    options: variant.options ?? [],
    price: toMoney(variant.price),
    compareAtPrice: variant.compareAtPrice && toMoney(variant.compareAtPrice),
    barcode: variant.barcode ?? '',
    grams: variant.grams ?? 0,
  };
}
