// The columns of a product file by what they mean. Shopify renamed its columns in 2024; both spellings are read.
import type { CsvRow } from './csv-reader.js';
import { FileFault } from './file-fault.js';

const COLUMN_NAMES = {
  handle: ['handle', 'url handle'],
  title: ['title'],
  body: ['body (html)', 'description'],
  vendor: ['vendor'],
  type: ['type'],
  tags: ['tags'],
  published: ['published', 'published on online store'],
  status: ['status'],
  option1Name: ['option1 name'],
  option1Value: ['option1 value'],
  option2Name: ['option2 name'],
  option2Value: ['option2 value'],
  option3Name: ['option3 name'],
  option3Value: ['option3 value'],
  sku: ['variant sku', 'sku'],
  grams: ['variant grams', 'weight value (grams)'],
  quantity: ['variant inventory qty', 'inventory quantity'],
  price: ['variant price', 'price'],
  compareAtPrice: ['variant compare at price', 'compare-at price'],
  barcode: ['variant barcode', 'barcode'],
  imageUrl: ['image src', 'product image url'],
  imagePosition: ['image position'],
  imageAlt: ['image alt text'],
  variantImageUrl: ['variant image', 'variant image url'],
} as const;

const REQUIRED = { handle: 'Handle', title: 'Title', price: 'Variant Price' } as const;

export type Column = keyof typeof COLUMN_NAMES;

/** A row whose cells are asked for by meaning. */
export interface ProductRow {
  line: number;
  /** The cell, trimmed; empty where the file lacks the column or the row ends before it. */
  cell(column: Column): string;
  blank: boolean;
}

/**
 * Reads the header.
 * @returns what makes rows of that file readable
 * @throws FileFault where it is not the header of a product file
 */
export function readHeader(header: CsvRow): (row: CsvRow) => ProductRow {
  const names = header.fields.map((name) => name.trim().toLowerCase());
  const positions = new Map<Column, number>();
  for (const [column, spellings] of Object.entries(COLUMN_NAMES) as [Column, readonly string[]][]) {
    const position = names.findIndex((name) => spellings.includes(name));
    if (position !== -1) positions.set(column, position);
  }
  const missing = Object.entries(REQUIRED).filter(([column]) => !positions.has(column as Column));
  if (missing.length > 0) throw notAProductFile(missing.map(([, name]) => name));
  return ({ line, fields }) => ({
    line,
    cell: (column) => clean(fields[positions.get(column) ?? -1]),
    blank: fields.every((field) => clean(field) === ''),
  });
}

function notAProductFile(missing: string[]): FileFault {
  const columns = missing.map((name) => `"${name}"`).join(', ');
  return new FileFault(
    0,
    `This is not a product file in Shopify's format: its first line lacks the column${missing.length > 1 ? 's' : ''} ${columns}. ` +
      'Columns are set apart by commas.',
  );
}

// Control characters mean nothing in a shop, and Postgres cannot hold a zero byte.
// eslint-disable-next-line no-control-regex
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g;

function clean(cell: string | undefined): string {
  return (cell ?? '').replace(CONTROL, '').trim();
}
