// Brings the next products of a file into the catalogue, in the transaction of its caller. Guarantees: a product that is
// as the file has it stays untouched, version and events included; a SKU that another product sells is rejected with its
// row. Products that the file does not name are left alone.
import { sql, uuidv7, type Transaction } from '@souk/postgres';
import { contentHash, type ProductDraft } from '../product-draft.js';
import { writeProducts, type ProductChange } from '../product-writer.js';
import { quote } from './cells.js';
import type { FileEntry } from './product-file.js';
import { Rejections } from './rejections.js';

/** What became of a batch. */
export interface BatchOutcome {
  imported: number;
  created: number;
  updated: number;
  variants: number;
  rejections: Rejections;
}

interface KnownProduct {
  id: string;
  slug: string;
  content_hash: string;
}

// A plan that was made for an empty table reads all of a table that an import fills; each batch plans anew.
const PLAN_ANEW = sql('import.plan-anew', `SELECT set_config('plan_cache_mode', 'force_custom_plan', true)`);
const LOCK_PRODUCTS = sql(
  'import.lock-products',
  `SELECT id, slug, content_hash FROM products WHERE slug = ANY($1::text[]) AND deleted_at IS NULL ORDER BY id FOR UPDATE`,
);
const FIND_SELLERS = sql(
  'import.find-sellers',
  `SELECT v.sku, p.slug FROM variants v JOIN products p ON p.id = v.product_id
    WHERE v.sku = ANY($1::text[]) AND v.deleted_at IS NULL`,
);

export async function importBatch(tx: Transaction, entries: readonly FileEntry[]): Promise<BatchOutcome> {
  const outcome: BatchOutcome = { imported: 0, created: 0, updated: 0, variants: 0, rejections: new Rejections() };
  const drafts = entries.flatMap(({ draft }) => draft ?? []);
  await tx.query(PLAN_ANEW);
  const [known, sellers] = await Promise.all([knownProducts(tx, drafts), skuSellers(tx, drafts)]);
  const changes: ProductChange[] = [];
  for (const entry of entries) {
    outcome.rejections.addAll(entry.rejections);
    const accepted = acceptVariants(entry, sellers, outcome.rejections);
    if (!accepted) continue;
    outcome.imported += 1;
    outcome.variants += accepted.draft.variants.length;
    const change = toChange(accepted, known.get(accepted.draft.slug));
    if (!change) continue;
    outcome[change.isNew ? 'created' : 'updated'] += 1;
    changes.push(change);
  }
  await writeProducts(tx, changes);
  return outcome;
}

async function knownProducts(tx: Transaction, drafts: ProductDraft[]): Promise<Map<string, KnownProduct>> {
  const rows = await tx.query<KnownProduct>(LOCK_PRODUCTS, [drafts.map(({ slug }) => slug)]);
  return new Map(rows.map((row) => [row.slug, row]));
}

/** Which product, by slug, sells each of the SKUs. */
async function skuSellers(tx: Transaction, drafts: ProductDraft[]): Promise<Map<string, string>> {
  const skus = drafts.flatMap(({ variants }) => variants.map(({ sku }) => sku));
  const rows = await tx.query<{ sku: string; slug: string }>(FIND_SELLERS, [skus]);
  return new Map(rows.map(({ sku, slug }) => [sku, slug]));
}

interface Accepted {
  draft: ProductDraft;
  spared: string[];
  partial: boolean;
}

/** The entry without the variants that another product sells; undefined where nothing is left. */
function acceptVariants(entry: FileEntry, sellers: Map<string, string>, rejections: Rejections): Accepted | undefined {
  const { draft } = entry;
  if (!draft) return undefined;
  const variants = draft.variants.filter(({ sku }, index) => {
    const seller = sellers.get(sku) ?? draft.slug;
    if (seller === draft.slug) return sellers.set(sku, seller);
    rejections.add(
      entry.variantLines[index] ?? entry.line,
      `The SKU ${quote(sku)} is sold as ${quote(seller)} already.`,
    );
    return false;
  });
  if (variants.length === 0) return undefined;
  return { draft: { ...draft, variants }, spared: entry.sparedSkus, partial: entry.partial };
}

/** @returns undefined for a product that is as it should be */
function toChange({ draft, spared, partial }: Accepted, known: KnownProduct | undefined): ProductChange | undefined {
  const hash = contentHash(draft, partial ? ['*'] : spared);
  if (known?.content_hash === hash) return undefined;
  return { id: known?.id ?? uuidv7(), isNew: !known, draft, contentHash: hash, spared: partial ? 'all' : spared };
}
