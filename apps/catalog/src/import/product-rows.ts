// Makes one product of the rows that share a handle: the first row holds what is said of the product, every row may
// hold a variant, an image or both. A variant that cannot be used is rejected alone; what is wrong with the product as
// a whole rejects all of its rows. A rejected row changes nothing: `sparedSkus` names what must stay as it is.
import { sanitizeDescription } from '../description.js';
import { distinctTags, isHttpsUrl, isSku, LIMITS, type DraftVariant, type ProductDraft } from '../product-draft.js';
import type { Image, Option } from '@souk/proto/catalog/v1';
import { deriveSku } from '../slug.js';
import { CellFault, fail, quote, readCode, readGrams, readPrice, readQuantity, readText } from './cells.js';
import type { Column, ProductRow } from './product-columns.js';
import { Rejections } from './rejections.js';

/** What the rows of one handle come to. */
export interface ReadProduct {
  /** Undefined where nothing of the product can be imported. */
  draft?: ProductDraft;
  /** Line of each variant of the draft, in its order. */
  variantLines: number[];
  /** SKUs of rejected rows, as far as they can be told. */
  sparedSkus: string[];
  /** True where rows of the product may be missing, since the file broke off: variants that were not read stay. */
  partial: boolean;
  rejections: Rejections;
}

export function readProduct(slug: string, rows: readonly ProductRow[], currency: string): ReadProduct {
  const read: ReadProduct = { variantLines: [], sparedSkus: [], partial: false, rejections: new Rejections() };
  const [first] = rows;
  if (!first) return read;
  try {
    const product = readFirstRow(slug, first);
    readVariantsAndImages(read, product, rows, currency);
    if (product.variants.length > 0) read.draft = product;
    else rows.forEach((row) => spareNothing(read, row, first));
  } catch (error) {
    refuseAll(read, rows, error);
  }
  return read;
}

function refuseAll(read: ReadProduct, rows: readonly ProductRow[], error: unknown): void {
  if (!(error instanceof CellFault)) throw error;
  const [first, ...others] = rows;
  if (first) read.rejections.add(first.line, error.message);
  others.forEach((row) => read.rejections.add(row.line, `Its product is refused at line ${first?.line}.`));
}

/** No variant is left: rows that only add images, and so were not rejected, have nothing to belong to. */
function spareNothing(read: ReadProduct, row: ProductRow, first: ProductRow): void {
  if (!read.rejections.shown.some((rejection) => rejection.row === row.line)) {
    read.rejections.add(row.line, `The product at line ${first.line} has no variant that can be imported.`);
  }
}

function readFirstRow(slug: string, row: ProductRow): ProductDraft {
  if (slug.length > LIMITS.slug) fail(`Handle is longer than ${LIMITS.slug} characters.`);
  if (row.cell('title') === '') fail("Title is missing on the product's first row.");
  requireOnSale(row);
  return {
    slug,
    title: readText('Title', row.cell('title').replace(/\s+/g, ' '), LIMITS.title),
    descriptionHtml: sanitizeDescription(readText('Body (HTML)', row.cell('body'), LIMITS.descriptionHtml)),
    vendor: readText('Vendor', row.cell('vendor'), LIMITS.vendor),
    productType: readText('Type', row.cell('type'), LIMITS.productType),
    tags: readTags(row.cell('tags')),
    images: [],
    variants: [],
  };
}

/** All that is imported is on sale; to sell what the merchant hides would be worse than to leave it out. */
function requireOnSale(row: ProductRow): void {
  const status = row.cell('status').toLowerCase();
  if (status !== '' && status !== 'active') fail(`The product is not on sale: Status is ${quote(status)}.`);
  if (row.cell('published').toLowerCase() === 'false') fail('The product is not on sale: Published is "false".');
}

function readTags(text: string): string[] {
  const tags = distinctTags(text.split(','));
  if (tags.length > LIMITS.tags) fail(`There are more than ${LIMITS.tags} tags.`);
  tags.forEach((tag) => readText('A tag', tag, LIMITS.tag));
  return tags;
}

function readVariantsAndImages(
  read: ReadProduct,
  product: ProductDraft,
  rows: readonly ProductRow[],
  currency: string,
): void {
  const [first] = rows;
  const images: { image: Image; position: number }[] = [];
  const linesBySku = new Map<string, number>();
  for (const row of rows) {
    let sku = '';
    try {
      const options = readOptions(first as ProductRow, row);
      sku = isVariantRow(row, row === first) ? skuOf(product.slug, row, options) : '';
      const rowImages = readImages(row, images.length);
      if (sku !== '') {
        product.variants.push(readVariant(sku, options, row, currency, product, linesBySku));
        read.variantLines.push(row.line);
        linesBySku.set(sku, row.line);
      }
      images.push(...rowImages);
    } catch (error) {
      if (!(error instanceof CellFault)) throw error;
      read.rejections.add(row.line, error.message);
      if (sku !== '') read.sparedSkus.push(sku);
    }
  }
  read.sparedSkus = read.sparedSkus.filter((sku) => !linesBySku.has(sku));
  product.images = inOrder(images);
}

function isVariantRow(row: ProductRow, isFirst: boolean): boolean {
  const told: Column[] = ['price', 'sku', 'option1Value', 'option2Value', 'option3Value'];
  return isFirst || told.some((column) => row.cell(column) !== '');
}

function readOptions(first: ProductRow, row: ProductRow): Option[] {
  const columns = [
    ['option1Name', 'option1Value'],
    ['option2Name', 'option2Value'],
    ['option3Name', 'option3Value'],
  ] as const;
  const options = columns.map(([name, value], index) => ({
    name: readText(`Option${index + 1} Name`, first.cell(name) || `Option ${index + 1}`, LIMITS.optionName),
    value: readText(`Option${index + 1} Value`, row.cell(value), LIMITS.optionValue),
  }));
  const given = options.filter((option) => option.value !== '');
  return given.length === 1 && given[0]?.value === 'Default Title' ? [] : given;
}

function skuOf(slug: string, row: ProductRow, options: readonly Option[]): string {
  const given = readCode('Variant SKU', row.cell('sku'), LIMITS.sku);
  if (given !== '' && !isSku(given)) fail(`Variant SKU cannot be used: ${quote(given)}.`);
  return (
    given ||
    deriveSku(
      slug,
      options.map((option) => option.value),
    )
  );
}

function readVariant(
  sku: string,
  options: Option[],
  row: ProductRow,
  currency: string,
  product: ProductDraft,
  linesBySku: ReadonlyMap<string, number>,
): DraftVariant {
  if (row.cell('price') === '') fail('Variant Price is missing.');
  const twin = linesBySku.get(sku);
  if (twin !== undefined) fail(`The SKU ${quote(sku)} is on line ${twin} already.`);
  const same = product.variants.findIndex((variant) => sameOptions(variant.options, options));
  if (same !== -1) fail(`Its options are those of ${quote(product.variants[same]?.sku ?? '')}.`);
  if (product.variants.length >= LIMITS.variants) fail(`The product has more than ${LIMITS.variants} variants.`);
  const compareAt = row.cell('compareAtPrice');
  const compareAtPrice = compareAt === '' ? undefined : readPrice('Variant Compare At Price', compareAt, currency);
  return {
    sku,
    options,
    price: readPrice('Variant Price', row.cell('price'), currency),
    ...(compareAtPrice && compareAtPrice.amount > 0n ? { compareAtPrice } : {}),
    barcode: readCode('Variant Barcode', row.cell('barcode'), LIMITS.barcode),
    grams: readGrams(row.cell('grams')),
    openingStock: readQuantity(row.cell('quantity')),
  };
}

function sameOptions(a: readonly Option[], b: readonly Option[]): boolean {
  return a.length === b.length && a.every((option, index) => option.value === b[index]?.value);
}

function readImages(row: ProductRow, known: number): { image: Image; position: number }[] {
  const position = Number(row.cell('imagePosition')) || Infinity;
  const urls = [row.cell('imageUrl'), row.cell('variantImageUrl')].filter(Boolean);
  if (known + urls.length > 2 * LIMITS.images) fail(`The product has more than ${LIMITS.images} images.`);
  urls.filter((url) => !isHttpsUrl(url)).forEach((url) => fail(`The image is not at an https address: ${quote(url)}.`));
  const alt = readText('Image Alt Text', row.cell('imageAlt'), LIMITS.imageAlt);
  const image = (url: string, index: number) =>
    index === 0 && row.cell('imageUrl')
      ? { image: { url, alt }, position }
      : { image: { url, alt: '' }, position: Infinity };
  return urls.map(image);
}

/** By position, those without one last; an address that is repeated counts once. */
function inOrder(images: { image: Image; position: number }[]): Image[] {
  const byUrl = new Map<string, Image>();
  const byPosition = (a: { position: number }, b: { position: number }) =>
    a.position === b.position ? 0 : a.position - b.position;
  for (const { image } of images.sort(byPosition)) {
    if (!byUrl.has(image.url)) byUrl.set(image.url, image);
  }
  return [...byUrl.values()].slice(0, LIMITS.images);
}
