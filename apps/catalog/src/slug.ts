// Names that are made from what people wrote. Guarantees: the same text gives the same name for ever, since imports and
// links depend on it. Does not guarantee that two texts get two names: who needs that must check.
import { createHash } from 'node:crypto';

const SKU_LENGTH = 100;
const COMBINING_ACCENTS = /[\u0300-\u036f]/g;

/** `Men's Çelik Bowl` becomes `mens-celik-bowl`; letters of every script stay. Empty where nothing is left. */
export function slugify(text: string): string {
  return text
    .normalize('NFKD')
    .replace(COMBINING_ACCENTS, '')
    .normalize('NFC')
    .toLowerCase()
    .replace(/['’]/g, '')
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, '-')
    .replace(/^-+|-+$/g, '');
}

/** True for what may stand as a product's slug as it is. */
export function isSlug(text: string): boolean {
  return /^[\p{Ll}\p{Lo}\p{Lm}\p{M}\p{N}_-]+$/u.test(text);
}

/** The SKU of a variant that came without one: `CHAIN-BRACELET-BLACK`, or the slug alone where there are no options. */
export function deriveSku(slug: string, optionValues: readonly string[]): string {
  const parts = [slug, ...optionValues.map((value) => slugify(value) || fingerprint(value, 6))];
  const sku = parts.join('-').toUpperCase();
  return sku.length <= SKU_LENGTH ? sku : `${sku.slice(0, SKU_LENGTH - 9)}-${fingerprint(sku, 8)}`;
}

function fingerprint(text: string, length: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, length).toUpperCase();
}
