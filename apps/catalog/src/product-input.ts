// Checks what staff send and makes drafts of it. Guarantees: every wrong field is named at once, and what passes fits
// into the catalogue; a missing slug or SKU is derived, as in an import.
import { invalid, type FieldViolation } from '@souk/errors';
import type { Product, Variant } from '@souk/proto/catalog/v1';
import { sanitizeDescription } from './description.js';
import { distinctTags, isHttpsUrl, isSku, LIMITS, type DraftVariant, type ProductDraft } from './product-draft.js';
import { deriveSku, isSlug, slugify } from './slug.js';

/**
 * @param path how the caller names the product, for example `product.`
 * @throws DomainError INVALID_ARGUMENT
 */
export function toDraft(product: Product, currency: string, path: string): ProductDraft {
  const title = product.title.trim();
  const slug = product.slug.trim() || slugify(title).slice(0, LIMITS.slug);
  const draft: ProductDraft = {
    slug,
    title,
    descriptionHtml: sanitizeDescription(product.descriptionHtml),
    vendor: product.vendor.trim(),
    productType: product.productType.trim(),
    tags: distinctTags(product.tags),
    images: product.images,
    variants: product.variants.map((variant) => toDraftVariant(slug, variant, currency)),
  };
  const violations = [...productViolations(draft), ...variantViolations(product.variants, draft, currency)];
  if (violations.length > 0) {
    throw invalid(violations.map(({ field, description }) => ({ field: path + field, description })));
  }
  return draft;
}

function toDraftVariant(slug: string, variant: Variant, currency: string): DraftVariant {
  const options = variant.options.map(({ name, value }) => ({ name: name.trim(), value: value.trim() }));
  const values = options.map((option) => option.value);
  return {
    sku: variant.sku.trim() || deriveSku(slug, values),
    options,
    price: variant.price ?? { amount: 0n, currency },
    ...(variant.compareAtPrice ? { compareAtPrice: variant.compareAtPrice } : {}),
    barcode: variant.barcode.trim(),
    grams: variant.grams,
    openingStock: 0,
  };
}

class Violations {
  readonly found: FieldViolation[] = [];

  require(holds: boolean, field: string, description: string): void {
    if (!holds) this.found.push({ field, description });
  }

  text(field: string, value: string, maxLength: number): void {
    this.require(value.length <= maxLength, field, `must have at most ${maxLength} characters`);
    // eslint-disable-next-line no-control-regex
    this.require(!/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(value), field, 'must not have control characters');
  }
}

function productViolations(draft: ProductDraft): FieldViolation[] {
  const check = new Violations();
  check.require(draft.title !== '', 'title', 'must not be empty');
  check.text('title', draft.title, LIMITS.title);
  const slugFits = draft.slug.length <= LIMITS.slug && isSlug(draft.slug);
  check.require(slugFits || draft.title === '', 'slug', 'must be lower-case letters, digits and dashes, 255 at most');
  check.text('description_html', draft.descriptionHtml, LIMITS.descriptionHtml);
  check.text('vendor', draft.vendor, LIMITS.vendor);
  check.text('product_type', draft.productType, LIMITS.productType);
  check.require(draft.tags.length <= LIMITS.tags, 'tags', `must be at most ${LIMITS.tags}`);
  draft.tags.forEach((tag, index) => check.text(`tags[${index}]`, tag, LIMITS.tag));
  check.require(draft.images.length <= LIMITS.images, 'images', `must be at most ${LIMITS.images}`);
  draft.images.forEach(({ url, alt }, index) => {
    check.require(isHttpsUrl(url), `images[${index}].url`, 'must be an https address');
    check.text(`images[${index}].alt`, alt, LIMITS.imageAlt);
  });
  return check.found;
}

function variantViolations(given: readonly Variant[], draft: ProductDraft, currency: string): FieldViolation[] {
  const check = new Violations();
  const count = draft.variants.length;
  check.require(count >= 1 && count <= LIMITS.variants, 'variants', `must be 1 to ${LIMITS.variants}`);
  const skus = new Map<string, number>();
  const choices = new Map<string, number>();
  draft.variants.slice(0, LIMITS.variants).forEach((variant, index) => {
    const field = `variants[${index}]`;
    check.require(given[index]?.price !== undefined, `${field}.price`, 'must be given');
    checkVariant(check, field, variant, currency);
    checkUnique(check, skus, variant.sku, index, `${field}.sku`, 'SKU');
    const choice = JSON.stringify(variant.options.map((option) => option.value));
    checkUnique(check, choices, choice, index, `${field}.options`, 'choice of options');
  });
  return check.found;
}

function checkVariant(check: Violations, field: string, variant: DraftVariant, currency: string): void {
  check.require(isSku(variant.sku), `${field}.sku`, `must be 1 to ${LIMITS.sku} printable characters`);
  check.require(variant.options.length <= LIMITS.options, `${field}.options`, `must be at most ${LIMITS.options}`);
  variant.options.forEach(({ name, value }, index) => {
    check.require(name !== '' && value !== '', `${field}.options[${index}]`, 'must have a name and a value');
    check.text(`${field}.options[${index}].name`, name, LIMITS.optionName);
    check.text(`${field}.options[${index}].value`, value, LIMITS.optionValue);
  });
  for (const [name, price] of [
    ['price', variant.price],
    ['compare_at_price', variant.compareAtPrice],
  ] as const) {
    if (!price) continue;
    const inRange = price.amount >= 0n && price.amount <= LIMITS.amount;
    check.require(inRange, `${field}.${name}.amount`, `must be 0 to ${LIMITS.amount} minor units`);
    check.require(price.currency === currency, `${field}.${name}.currency`, `must be ${currency}`);
  }
  check.text(`${field}.barcode`, variant.barcode, LIMITS.barcode);
  const gramsFit = variant.grams >= 0 && variant.grams <= LIMITS.int32;
  check.require(gramsFit, `${field}.grams`, 'must not be negative');
}

function checkUnique(
  check: Violations,
  seen: Map<string, number>,
  key: string,
  index: number,
  field: string,
  what: string,
): void {
  const first = seen.get(key);
  check.require(first === undefined, field, `is the ${what} of variants[${first}] already`);
  if (first === undefined) seen.set(key, index);
}
