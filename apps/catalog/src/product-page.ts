import type { ListedProduct } from './catalog.store.js';

// A gRPC message holds 4 MiB by default; this leaves room for what is not counted.
const MAX_CHARACTERS = 1_000_000;
const VARIANT_CHARACTERS = 150;

/** As many of the products as fit into one answer, and at least one; the rest comes with the next page. */
export function fittingProducts(listed: ListedProduct[]): ListedProduct[] {
  let characters = 0;
  const tooMuch = listed.findIndex(({ product }, index) => {
    characters += product.descriptionHtml.length + product.variants.length * VARIANT_CHARACTERS;
    return index > 0 && characters > MAX_CHARACTERS;
  });
  return tooMuch === -1 ? listed : listed.slice(0, tooMuch);
}
