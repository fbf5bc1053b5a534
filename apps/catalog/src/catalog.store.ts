// The catalogue in Postgres. Guarantees: a page of products costs three statements however long it is; a product is
// changed under its row lock and only from the version that the caller names; the events of a change are written with
// it. A list is newest first, a search is best first; what changes while somebody turns pages may move, never repeat
// without having moved.
import { claimOnce, type Claim, type Claimed } from '@souk/idempotency';
import type { OutboxRelay } from '@souk/outbox';
import { appendToOutbox } from '@souk/outbox';
import { isUniqueViolation, sql, uuidv7, type Database, type Queryable, type Transaction } from '@souk/postgres';
import { Product, type Category, type Variant } from '@souk/proto/catalog/v1';
import { productNotFound, skuTaken, slugTaken, versionMismatch } from './catalog-errors.js';
import { productDeleted } from './catalog.events.js';
import {
  PRODUCT_COLUMNS,
  toProduct,
  toVariant,
  VARIANT_COLUMNS,
  type ProductRow,
  type VariantRow,
} from './catalog.rows.js';
import { START, type ListFilter, type PagePosition } from './page-token.js';
import { contentHash, type ProductDraft } from './product-draft.js';
import { SkuTaken, writeProducts } from './product-writer.js';
import { searchTerms, TSQUERY } from './search.js';

const LIST = sql(
  'catalog.list',
  `SELECT ${PRODUCT_COLUMNS} FROM products p WHERE p.deleted_at IS NULL AND p.id < $1 ORDER BY p.id DESC LIMIT $2`,
);
const LIST_CATEGORY = sql(
  'catalog.list-category',
  `SELECT ${PRODUCT_COLUMNS} FROM product_categories c JOIN products p ON p.id = c.product_id
    WHERE c.category = $3 AND c.product_id < $1 ORDER BY c.product_id DESC LIMIT $2`,
);
const SEARCH = sql(
  'catalog.search',
  `SELECT * FROM (
     SELECT ${PRODUCT_COLUMNS}, ts_rank(p.search, q.query) AS rank
       FROM (SELECT ${TSQUERY} AS query) AS q JOIN products p ON p.search @@ q.query
      WHERE p.deleted_at IS NULL
        AND ($7 = '' OR EXISTS (SELECT 1 FROM product_categories c WHERE c.product_id = p.id AND c.category = $7))
   ) AS found
   WHERE (rank, id) < ($4::float4, $5::uuid) ORDER BY rank DESC, id DESC LIMIT $6`,
);
const GET = sql(
  'catalog.get',
  `SELECT ${PRODUCT_COLUMNS} FROM products p WHERE (p.id = $1 OR p.slug = $2) AND p.deleted_at IS NULL
    ORDER BY p.id = $1 DESC NULLS LAST LIMIT 1`,
);
const LOCK = sql(
  'catalog.lock',
  `SELECT p.id, p.slug, p.version, p.content_hash FROM products p
    WHERE (p.id = $1 OR p.slug = $2) AND p.deleted_at IS NULL
    ORDER BY p.id = $1 DESC NULLS LAST LIMIT 1 FOR UPDATE`,
);
const GET_BY_ID = sql('catalog.get-by-id', `SELECT ${PRODUCT_COLUMNS} FROM products p WHERE p.id = $1`);
const VARIANTS_OF = sql(
  'catalog.variants-of',
  `SELECT ${VARIANT_COLUMNS} FROM variants WHERE product_id = ANY($1::uuid[]) AND deleted_at IS NULL ORDER BY position, sku`,
);
const CATEGORIES_OF = sql(
  'catalog.categories-of',
  `SELECT pc.product_id, c.slug, c.name FROM product_categories pc JOIN categories c ON c.slug = pc.category
    WHERE pc.product_id = ANY($1::uuid[]) ORDER BY lower(c.name), c.slug`,
);
const CATEGORIES = sql(
  'catalog.categories',
  `SELECT c.slug, c.name FROM categories c
    WHERE EXISTS (SELECT 1 FROM product_categories pc WHERE pc.category = c.slug) ORDER BY lower(c.name), c.slug`,
);
const FIND_TAKEN = sql(
  'catalog.find-taken',
  `SELECT sku FROM variants WHERE sku = ANY($1::text[]) AND deleted_at IS NULL AND product_id <> $2 ORDER BY sku`,
);
const DELETE = sql(
  'catalog.delete',
  `WITH variants_off AS (UPDATE variants SET deleted_at = now() WHERE product_id = $1 AND deleted_at IS NULL),
        categories_off AS (DELETE FROM product_categories WHERE product_id = $1)
   UPDATE products SET deleted_at = now(), updated_at = now(), version = version + 1 WHERE id = $1`,
);

/** A product and where it stands in its list. */
export interface ListedProduct {
  product: Product;
  position: PagePosition;
}

interface LockedProduct {
  id: string;
  slug: string;
  version: number;
  content_hash: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export class CatalogStore {
  constructor(
    private readonly database: Database,
    private readonly relay: OutboxRelay,
  ) {}

  /** Up to `limit` products after the position. */
  async list(filter: ListFilter, after: PagePosition = START, limit: number): Promise<ListedProduct[]> {
    const rows = await this.listRows(filter, { ...START, ...after }, limit);
    const products = await withDetails(this.database, rows);
    return rows.map(({ id, rank }, index) => ({
      product: products[index] as Product,
      position: { id, ...(rank === undefined ? {} : { rank: String(rank) }) },
    }));
  }

  /** @param reference identifier or slug */
  async get(reference: string): Promise<Product | undefined> {
    const [product] = await withDetails(this.database, await this.database.query<ProductRow>(GET, byEither(reference)));
    return product;
  }

  categories(): Promise<Category[]> {
    return this.database.query<Category>(CATEGORIES);
  }

  /**
   * Adds a product, with a claim once for it: whoever comes again gets it as it was then.
   * @throws DomainError SLUG_TAKEN, SKU_TAKEN, REQUEST_ID_REUSED
   */
  async create(draft: ProductDraft, claim?: Claim): Promise<Claimed<Product>> {
    const id = uuidv7();
    const add = async (tx: Transaction) => {
      await refuseTakenSkus(tx, draft, id);
      await writeProducts(tx, [{ id, isNew: true, draft, contentHash: contentHash(draft), spared: [] }]);
      return byId(tx, id);
    };
    const written = await this.write(draft, async (tx) =>
      claim ? claimOnce(tx, claim, Product, () => add(tx)) : { answer: await add(tx), replayed: false },
    );
    return written ?? this.create(draft, claim);
  }

  /**
   * Changes a product under its lock; a change that changes nothing leaves the version as it is.
   * @param expectedVersion 0 for any
   * @throws DomainError PRODUCT_NOT_FOUND, VERSION_MISMATCH, SKU_TAKEN
   */
  async update(
    reference: string,
    expectedVersion: number,
    change: (product: Product) => ProductDraft,
  ): Promise<Product> {
    const written = await this.write(undefined, async (tx) => {
      const locked = await lock(tx, reference, expectedVersion);
      const product = await byId(tx, locked.id);
      const draft = change(product);
      const hash = contentHash(draft);
      if (hash === locked.content_hash) return product;
      await refuseTakenSkus(tx, draft, locked.id);
      await writeProducts(tx, [{ id: locked.id, isNew: false, draft, contentHash: hash, spared: [] }]);
      return byId(tx, locked.id);
    });
    return written ?? this.update(reference, expectedVersion, change);
  }

  /** @throws DomainError PRODUCT_NOT_FOUND, VERSION_MISMATCH */
  async delete(reference: string, expectedVersion: number): Promise<void> {
    await this.database.transaction(async (tx) => {
      const { id, slug } = await lock(tx, reference, expectedVersion);
      await tx.query(DELETE, [id]);
      await appendToOutbox(tx, [productDeleted({ productId: id, slug })]);
    });
    this.relay.wake();
  }

  private listRows(filter: ListFilter, after: Required<PagePosition>, limit: number) {
    const { query, category } = filter;
    type Listed = ProductRow & { rank?: number };
    if (query !== '') {
      const { text, prefix, unstemmed } = searchTerms(query);
      return this.database.query<Listed>(SEARCH, [text, prefix, unstemmed, after.rank, after.id, limit, category]);
    }
    if (category !== '') return this.database.query<Listed>(LIST_CATEGORY, [after.id, limit, category]);
    return this.database.query<Listed>(LIST, [after.id, limit]);
  }

  /** @returns undefined where somebody took the SKU or the request id at the same moment: a second try sees him */
  private async write<T>(
    draft: ProductDraft | undefined,
    work: (tx: Transaction) => Promise<T>,
  ): Promise<T | undefined> {
    try {
      const written = await this.database.transaction(work);
      this.relay.wake();
      return written;
    } catch (error) {
      if (draft && isUniqueViolation(error, 'products_slug')) throw slugTaken(draft.slug);
      if (error instanceof SkuTaken) return undefined;
      throw error;
    }
  }
}

async function lock(tx: Transaction, reference: string, expectedVersion: number): Promise<LockedProduct> {
  const [locked] = await tx.query<LockedProduct>(LOCK, byEither(reference));
  if (!locked) throw productNotFound(reference);
  if (expectedVersion !== 0 && expectedVersion !== locked.version) {
    throw versionMismatch(expectedVersion, locked.version);
  }
  return locked;
}

async function refuseTakenSkus(tx: Transaction, draft: ProductDraft, id: string): Promise<void> {
  const taken = await tx.query<{ sku: string }>(FIND_TAKEN, [draft.variants.map(({ sku }) => sku), id]);
  if (taken.length > 0) throw skuTaken(taken.map(({ sku }) => sku));
}

async function byId(tx: Transaction, id: string): Promise<Product> {
  const [row] = await tx.query<ProductRow>(GET_BY_ID, [id]);
  return one(tx, row as ProductRow);
}

async function one(tx: Transaction, row: ProductRow): Promise<Product> {
  const [product] = await withDetails(tx, [row]);
  return product as Product;
}

/** Adds variants and categories to any number of products with one statement each. */
async function withDetails(from: Queryable, rows: ProductRow[]): Promise<Product[]> {
  if (rows.length === 0) return [];
  const ids = rows.map(({ id }) => id);
  const [variants, categories] = await Promise.all([
    from.query<VariantRow>(VARIANTS_OF, [ids]),
    from.query<Category & { product_id: string }>(CATEGORIES_OF, [ids]),
  ]);
  const variantsOf = Map.groupBy(variants, (row) => row.product_id);
  const categoriesOf = Map.groupBy(categories, (row) => row.product_id);
  return rows.map((row) => {
    const ownVariants: Variant[] = (variantsOf.get(row.id) ?? []).map(toVariant);
    const ownCategories = (categoriesOf.get(row.id) ?? []).map(({ slug, name }) => ({ slug, name }));
    return toProduct(row, ownVariants, ownCategories);
  });
}

/** Values for `id = $1 OR slug = $2`. */
function byEither(reference: string): [string | null, string] {
  return [UUID.test(reference) ? reference : null, reference.replaceAll('\0', '')];
}
