// Reads a product file as a stream of products. Guarantees: memory is bounded by the largest product and by one short
// key for each handle seen; products come in the order of the file. Throws FileFault where the file is not a product
// file or reading cannot go on; all products whose rows were whole before that line have been given out.
import { isSlug, slugify } from '../slug.js';
import { quote } from './cells.js';
import { readCsv, type CsvRow } from './csv-reader.js';
import { FileFault } from './file-fault.js';
import { readHeader, type ProductRow } from './product-columns.js';
import { readProduct, type ReadProduct } from './product-rows.js';
import { Rejections } from './rejections.js';

const MAX_ROWS = 500_000;
// More than a product can use; beyond it rows are counted and rejected, not kept.
const MAX_ROWS_OF_PRODUCT = 2_500;

/** The next product of the file, or rows that belong to none. */
export interface FileEntry extends ReadProduct {
  /** Line of its first row. */
  line: number;
  rows: number;
  /** Bytes of the file up to the end of this entry. */
  endByte: number;
}

export async function* readProductFile(bytes: AsyncIterable<Uint8Array>, currency: string): AsyncGenerator<FileEntry> {
  const groups = new ProductGroups(currency);
  let toProductRow: ((row: CsvRow) => ProductRow) | undefined;
  try {
    for await (const row of readCsv(bytes)) {
      if (!toProductRow) {
        if (row.fields.every((field) => field.trim() === '')) continue;
        toProductRow = readHeader(row);
        continue;
      }
      const entry = groups.add(toProductRow(row), row.endByte);
      if (entry) yield entry;
    }
  } catch (error) {
    // Before the header is read nothing can be imported, whatever the fault is.
    if (toProductRow) {
      for (const entry of groups.last()) yield { ...entry, partial: true };
    }
    throw error;
  }
  yield* groups.last();
  if (!toProductRow) throw new FileFault(0, 'The file is empty.');
  if (groups.rows === 0) throw new FileFault(0, 'The file has a header but no products.');
}

interface Group {
  slug: string;
  line: number;
  kept: ProductRow[];
  rows: number;
  refused: Rejections;
  endByte: number;
}

class ProductGroups {
  rows = 0;
  private open?: Group;
  private readonly seen = new Set<string>();

  constructor(private readonly currency: string) {}

  /** @returns the product before, once a row of the next one comes */
  add(row: ProductRow, endByte: number): FileEntry | undefined {
    if (row.blank) return undefined;
    this.rows += 1;
    if (this.rows > MAX_ROWS) throw new FileFault(row.line, `The file has more than ${MAX_ROWS} rows; split it.`);
    const slug = slugOf(row.cell('handle'));
    const same = this.open !== undefined && (slug === '' || slug === this.open.slug);
    const done = same ? undefined : this.close();
    this.open ??= { slug, line: row.line, kept: [], rows: 0, refused: new Rejections(), endByte };
    this.put(this.open, row, slug);
    this.open.endByte = endByte;
    return done;
  }

  *last(): Generator<FileEntry> {
    const entry = this.close();
    if (entry) yield entry;
  }

  private put(group: Group, row: ProductRow, slug: string): void {
    group.rows += 1;
    if (slug === '') {
      group.refused.add(row.line, row.cell('handle') === '' ? 'Handle is missing.' : 'Handle has no letter or digit.');
    } else if (this.seen.has(slug)) {
      const handle = quote(row.cell('handle'));
      group.refused.add(row.line, `The handle ${handle} came earlier; rows of one product must follow each other.`);
    } else if (group.kept.length >= MAX_ROWS_OF_PRODUCT) {
      group.refused.add(row.line, `The product has more than ${MAX_ROWS_OF_PRODUCT} rows.`);
    } else {
      group.kept.push(row);
    }
  }

  private close(): FileEntry | undefined {
    const group = this.open;
    this.open = undefined;
    if (!group) return undefined;
    if (group.slug !== '') this.seen.add(group.slug);
    const product = readProduct(group.slug, group.kept, this.currency);
    product.rejections.addAll(group.refused);
    return { ...product, line: group.line, rows: group.rows, endByte: group.endByte };
  }
}

function slugOf(handle: string): string {
  const lower = handle.toLowerCase();
  return isSlug(lower) ? lower : slugify(handle);
}
