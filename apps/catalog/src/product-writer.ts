// Writes any number of products in a few statements, within the transaction of its caller. Guarantees: a SKU belongs to
// one living product, whoever else writes at the same time; the events of a change are in the outbox of the same
// transaction; a SKU is announced as added once in its life. Does not lock the products: the caller has.
import { appendToOutbox } from '@souk/outbox';
import { sql, type Transaction } from '@souk/postgres';
import { productChanged, variantAdded } from './catalog.events.js';
import { categoriesOf, variantTitle, type ProductDraft } from './product-draft.js';

/** A product to write. */
export interface ProductChange {
  id: string;
  isNew: boolean;
  draft: ProductDraft;
  contentHash: string;
  /** SKUs that stay as they are though the draft does not name them; `all` for every one. */
  spared: readonly string[] | 'all';
}

/** Another product sells the SKU; found out too late to reject it in peace. */
export class SkuTaken extends Error {
  override readonly name = 'SkuTaken';
}

const INSERT_PRODUCTS = sql(
  'catalog.insert-products',
  `INSERT INTO products
     (id, slug, title, description_html, vendor, product_type, tags, images, version, content_hash)
   SELECT id, slug, title, description_html, vendor, product_type, tags, images, 1, content_hash
     FROM json_to_recordset($1::json) AS r (id uuid, slug text, title text, description_html text, vendor text,
          product_type text, tags text[], images jsonb, content_hash text)`,
);
const UPDATE_PRODUCTS = sql(
  'catalog.update-products',
  `UPDATE products AS p
      SET title = r.title, description_html = r.description_html, vendor = r.vendor, product_type = r.product_type,
          tags = r.tags, images = r.images, content_hash = r.content_hash, version = p.version + 1, updated_at = now()
     FROM json_to_recordset($1::json) AS r (id uuid, title text, description_html text, vendor text,
          product_type text, tags text[], images jsonb, content_hash text)
    WHERE p.id = r.id
   RETURNING p.id, p.version`,
);
const UPSERT_VARIANTS = sql(
  'catalog.upsert-variants',
  `INSERT INTO variants AS v
     (sku, product_id, position, title, options, price_amount, currency, compare_at_amount, barcode, grams)
   SELECT sku, product_id, position, title, options, price_amount, currency, compare_at_amount, barcode, grams
     FROM json_to_recordset($1::json) AS r (sku text, product_id uuid, position int, title text, options jsonb,
          price_amount bigint, currency text, compare_at_amount bigint, barcode text, grams int)
    ORDER BY sku
   ON CONFLICT (sku) DO UPDATE
      SET product_id = excluded.product_id, position = excluded.position, title = excluded.title,
          options = excluded.options, price_amount = excluded.price_amount, currency = excluded.currency,
          compare_at_amount = excluded.compare_at_amount, barcode = excluded.barcode, grams = excluded.grams,
          deleted_at = NULL
    WHERE v.deleted_at IS NOT NULL OR v.product_id = excluded.product_id
   RETURNING sku, xmax = 0 AS added`,
);
const RETIRE_VARIANTS = sql(
  'catalog.retire-variants',
  `UPDATE variants SET deleted_at = now()
    WHERE product_id = ANY($1::uuid[]) AND deleted_at IS NULL AND sku <> ALL($2::text[])`,
);
const INSERT_CATEGORIES = sql(
  'catalog.insert-categories',
  `INSERT INTO categories (slug, name)
   SELECT slug, name FROM unnest($1::text[], $2::text[]) AS c (slug, name) ORDER BY slug COLLATE "C"
   ON CONFLICT DO NOTHING`,
);
const LEAVE_CATEGORIES = sql(
  'catalog.leave-categories',
  `DELETE FROM product_categories WHERE product_id = ANY($1::uuid[])`,
);
const JOIN_CATEGORIES = sql(
  'catalog.join-categories',
  `INSERT INTO product_categories (category, product_id)
   SELECT category, product_id FROM unnest($1::text[], $2::uuid[]) AS c (category, product_id)`,
);

/** @throws SkuTaken where another living product has one of the SKUs */
export async function writeProducts(tx: Transaction, changes: readonly ProductChange[]): Promise<void> {
  if (changes.length === 0) return;
  const versions = await writeRows(tx, changes);
  const added = await writeVariants(tx, changes);
  await writeCategories(tx, changes);
  await appendToOutbox(
    tx,
    changes.flatMap(({ id, draft }) => [
      ...draft.variants
        .filter((variant) => added.has(variant.sku))
        .map((variant) => variantAdded({ sku: variant.sku, productId: id, openingStock: variant.openingStock })),
      productChanged({ productId: id, slug: draft.slug, version: versions.get(id) ?? 1 }),
    ]),
  );
}

async function writeRows(tx: Transaction, changes: readonly ProductChange[]): Promise<Map<string, number>> {
  const fresh = changes.filter((change) => change.isNew);
  const known = changes.filter((change) => !change.isNew);
  if (fresh.length > 0) await tx.query(INSERT_PRODUCTS, [JSON.stringify(fresh.map(productRow))]);
  if (known.length === 0) return new Map();
  const rows = await tx.query<{ id: string; version: number }>(UPDATE_PRODUCTS, [
    JSON.stringify(known.map(productRow)),
  ]);
  return new Map(rows.map(({ id, version }) => [id, version]));
}

/** @returns the SKUs that were never on sale before */
async function writeVariants(tx: Transaction, changes: readonly ProductChange[]): Promise<Set<string>> {
  const known = changes.filter((change) => !change.isNew && change.spared !== 'all');
  const kept = known.flatMap(({ draft, spared }) => [...draft.variants.map(({ sku }) => sku), ...spared]);
  if (known.length > 0) await tx.query(RETIRE_VARIANTS, [known.map(({ id }) => id), kept]);
  const variants = changes.flatMap(variantRows);
  const written = await tx.query<{ sku: string; added: boolean }>(UPSERT_VARIANTS, [JSON.stringify(variants)]);
  if (written.length < variants.length) throw new SkuTaken('Another product took a SKU at the same moment.');
  return new Set(written.filter(({ added }) => added).map(({ sku }) => sku));
}

async function writeCategories(tx: Transaction, changes: readonly ProductChange[]): Promise<void> {
  const memberships = changes.flatMap(({ id, draft }) =>
    [...categoriesOf(draft)].map(([slug, name]) => ({ slug, name, id })),
  );
  const names = new Map(memberships.toReversed().map(({ slug, name }) => [slug, name]));
  const known = changes.filter((change) => !change.isNew).map(({ id }) => id);
  if (known.length > 0) await tx.query(LEAVE_CATEGORIES, [known]);
  if (memberships.length === 0) return;
  await tx.query(INSERT_CATEGORIES, [[...names.keys()], [...names.values()]]);
  await tx.query(JOIN_CATEGORIES, [memberships.map(({ slug }) => slug), memberships.map(({ id }) => id)]);
}

function productRow({ id, draft, contentHash }: ProductChange): object {
  return {
    id,
    slug: draft.slug,
    title: draft.title,
    description_html: draft.descriptionHtml,
    vendor: draft.vendor,
    product_type: draft.productType,
    tags: draft.tags,
    images: draft.images,
    content_hash: contentHash,
  };
}

function variantRows({ id, draft }: ProductChange): object[] {
  return draft.variants.map((variant, position) => ({
    sku: variant.sku,
    product_id: id,
    position,
    title: variantTitle(variant.options),
    options: variant.options,
    price_amount: variant.price.amount.toString(),
    currency: variant.price.currency,
    compare_at_amount: variant.compareAtPrice?.amount.toString(),
    barcode: variant.barcode,
    grams: variant.grams,
  }));
}
