// A product as it is to be, whether it came by RPC or in a file, and how large its parts may be.
import { createHash } from 'node:crypto';
import type { Money } from '@souk/money';
import type { Image, Option } from '@souk/proto/catalog/v1';
import { slugify } from './slug.js';

export interface DraftVariant {
  sku: string;
  options: Option[];
  price: Money;
  compareAtPrice?: Money;
  barcode: string;
  grams: number;
  /** Units on hand when the SKU comes on sale for the first time. */
  openingStock: number;
}

export interface ProductDraft {
  slug: string;
  title: string;
  descriptionHtml: string;
  vendor: string;
  productType: string;
  tags: string[];
  images: Image[];
  variants: DraftVariant[];
}

/** Largest sizes, in characters and pieces; those of variants, options, tags and images are Shopify's. */
export const LIMITS = {
  slug: 255,
  title: 255,
  descriptionHtml: 100_000,
  vendor: 255,
  productType: 255,
  tag: 255,
  tags: 250,
  images: 250,
  imageUrl: 2_048,
  imageAlt: 512,
  variants: 2_048,
  options: 3,
  optionName: 255,
  optionValue: 255,
  sku: 100,
  barcode: 100,
  amount: 10n ** 12n,
  int32: 2 ** 31 - 1,
} as const;

const PRINTABLE = /^[^\p{Cc}]+$/u;

/** True for what may be a SKU: 1 to 100 characters, none of them a control character, no space at either end. */
export function isSku(text: string): boolean {
  return text.length <= LIMITS.sku && PRINTABLE.test(text) && text.trim() === text;
}

/** True for an address that a shop's https page can show. */
export function isHttpsUrl(text: string): boolean {
  return text.length <= LIMITS.imageUrl && /^https:\/\//i.test(text) && URL.canParse(text);
}

/** Title of a variant: its option values, or `Default` for the only variant of a product without options. */
export function variantTitle(options: readonly Option[]): string {
  return options.map((option) => option.value).join(' / ') || 'Default';
}

/** The shelves of a product, by slug: its type and each of its tags. */
export function categoriesOf(draft: Pick<ProductDraft, 'productType' | 'tags'>): Map<string, string> {
  const names = [draft.productType, ...draft.tags].map((name) => [slugify(name), name] as const);
  return new Map(names.filter(([slug]) => slug !== '').reverse());
}

/** Trims, and drops the empty and the repeated (letter case apart). */
export function distinctTags(tags: readonly string[]): string[] {
  const byKey = new Map<string, string>();
  for (const tag of tags.map((text) => text.trim()).filter(Boolean)) {
    if (!byKey.has(tag.toLowerCase())) byKey.set(tag.toLowerCase(), tag);
  }
  return [...byKey.values()];
}

/**
 * Equal for drafts that make the same product; opening stock is left out, as it counts only once.
 * @param spared what else the product keeps, so that a file that leaves something out is told from one that has it
 */
export function contentHash(draft: ProductDraft, spared: readonly string[] = []): string {
  const { slug, title, descriptionHtml, vendor, productType, tags, images, variants } = draft;
  const content = [
    [slug, title, descriptionHtml, vendor, productType, tags],
    images.map(({ url, alt }) => [url, alt]),
    variants.map(({ sku, options, price, compareAtPrice, barcode, grams }) => [
      [sku, options.map(({ name, value }) => [name, value]), barcode, grams],
      [price.amount.toString(), compareAtPrice?.amount.toString() ?? '', price.currency],
    ]),
    [...spared].sort(),
  ];
  return createHash('sha256').update(JSON.stringify(content)).digest('base64url');
}
