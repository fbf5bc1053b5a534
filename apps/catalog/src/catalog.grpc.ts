import { Allow, subjectOf } from '@souk/auth';
import { invalid } from '@souk/errors';
import { fingerprintOf, type Claim } from '@souk/idempotency';
import {
  CatalogServiceService,
  CreateProductRequest,
  Product,
  type BatchGetVariantsRequest,
  type DeleteProductRequest,
  type GetImportRequest,
  type GetProductRequest,
  type ImportProductsRequest,
  type ListProductsRequest,
  type UpdateProductRequest,
} from '@souk/proto/catalog/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import { importNotFound, productNotFound } from './catalog-errors.js';
import type { CatalogStore } from './catalog.store.js';
import type { ImportStore } from './import/import.store.js';
import type { UploadImport } from './import/upload-import.js';
import { decodePageToken, encodePageToken } from './page-token.js';
import type { PriceList } from './price-list.js';
import { toDraft } from './product-input.js';
import { fittingProducts } from './product-page.js';

const DEFAULT_PAGE_SIZE = 20;
const MAX_PAGE_SIZE = 100;
const MAX_QUERY_LENGTH = 200;
const MAX_SKUS = 500;
const LONGEST_KEY = 255;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

@RpcController(CatalogServiceService)
export class CatalogGrpc implements Handlers<typeof CatalogServiceService> {
  constructor(
    private readonly store: CatalogStore,
    private readonly prices: PriceList,
    private readonly imports: ImportStore,
    private readonly upload: UploadImport,
    private readonly currency: string,
  ) {}

  @Allow('anyone')
  async listProducts(request: ListProductsRequest) {
    const filter = { query: request.query.trim(), category: request.category.replaceAll('\0', '') };
    if (filter.query.length > MAX_QUERY_LENGTH) {
      throw invalid([{ field: 'query', description: `must have at most ${MAX_QUERY_LENGTH} characters` }]);
    }
    const size = pageSize(request.pageSize);
    const after = request.pageToken ? decodePageToken(request.pageToken, filter) : undefined;
    const listed = await this.store.list(filter, after, size + 1);
    const page = fittingProducts(listed.slice(0, size));
    const last = page.at(-1);
    const nextPageToken = last && page.length < listed.length ? encodePageToken(last.position, filter) : '';
    return { products: page.map(({ product }) => product), nextPageToken };
  }

  @Allow('anyone')
  async getProduct(request: GetProductRequest) {
    const product = await this.store.get(request.product);
    if (!product) throw productNotFound(request.product);
    return { product };
  }

  @Allow('catalog:write')
  async createProduct(request: CreateProductRequest) {
    const claim = claimFor('CreateProduct', request.requestId, CreateProductRequest.toJSON(request));
    const draft = toDraft(request.product ?? Product.create(), this.currency, 'product.');
    const { answer: product, replayed } = await this.store.create(draft, claim);
    return { product, replayed };
  }

  @Allow('catalog:write')
  async updateProduct(request: UpdateProductRequest) {
    const { title, descriptionHtml, vendor, productType, tags, variants } = request;
    const product = await this.store.update(request.product, request.expectedVersion, (current) => {
      const changed: Product = {
        ...current,
        title: title ?? current.title,
        descriptionHtml: descriptionHtml ?? current.descriptionHtml,
        vendor: vendor ?? current.vendor,
        productType: productType ?? current.productType,
        tags: tags?.tags ?? current.tags,
        variants: variants?.variants ?? current.variants,
      };
      return toDraft(changed, this.currency, '');
    });
    return { product };
  }

  @Allow('catalog:write')
  async deleteProduct(request: DeleteProductRequest) {
    await this.store.delete(request.product, request.expectedVersion);
    return {};
  }

  @Allow('anyone', 'service:orders')
  async batchGetVariants(request: BatchGetVariantsRequest) {
    const { skus } = request;
    if (skus.length > MAX_SKUS) throw invalid([{ field: 'skus', description: `must be at most ${MAX_SKUS}` }]);
    const possible = skus.filter((sku) => !sku.includes('\0'));
    return { variants: possible.length === 0 ? [] : await this.prices.offers(possible) };
  }

  @Allow('anyone')
  async listCategories() {
    return { categories: await this.store.categories() };
  }

  @Allow('catalog:write')
  async importProducts(requests: AsyncIterable<ImportProductsRequest>) {
    return { import: await this.upload.execute(chunks(requests)) };
  }

  @Allow('catalog:write')
  async getImport({ importId }: GetImportRequest) {
    const found = UUID.test(importId) ? await this.imports.get(importId) : undefined;
    if (!found) throw importNotFound(importId);
    return { import: found };
  }
}

async function* chunks(requests: AsyncIterable<ImportProductsRequest>): AsyncGenerator<Uint8Array> {
  for await (const { chunk } of requests) yield chunk;
}

function pageSize(asked: number): number {
  if (asked < 0) throw invalid([{ field: 'page_size', description: 'must not be negative' }]);
  return Math.min(asked || DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE);
}

/** @returns what the caller's key stands for, or undefined where he gave none */
function claimFor(operation: string, key: string, request: unknown): Claim | undefined {
  if (key.length > LONGEST_KEY) {
    throw invalid([{ field: 'request_id', description: `must have at most ${LONGEST_KEY} characters` }]);
  }
  const principal = subjectOf(currentPrincipal()) ?? 'guest';
  return key === '' ? undefined : { principal, operation, key, fingerprint: fingerprintOf(request) };
}
