import { randomUUID } from 'node:crypto';
import { Body, Controller, Delete, Get, HttpCode, Inject, Param, Patch, Post, Query, Req, Res } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { GetProductResponse, ListProductsResponse, Product } from '@souk/proto/catalog/v1';
import type { z } from 'zod';
import { CATALOG, type CatalogClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails, TakesIfMatch, TakesIfNoneMatch } from './api-docs.js';
import { StockReader } from './availability.js';
import { nextCursorView, required } from './fields.view.js';
import { LastKnown } from './last-known.js';
import { markReplayed, OptionalKey, REPLAYED } from './idempotency-key.js';
import { digestEtag, expectedVersion, unchanged } from './preconditions.js';
import {
  categoriesSchema,
  createProductBody,
  listProductsQuery,
  productPageSchema,
  productParam,
  productSchema,
  updateProductBody,
} from './products.schemas.js';
import { productEtag, productView, stockFingerprint, toProduct, toUpdate, type ProductView } from './products.view.js';

/** The same for everybody. */
const SHARED = { shared: true };
const AGE = { Age: 'Seconds since this was true; only where the catalogue is away.' };

@ApiTags('Catalogue')
@Controller('v1')
export class ProductsController {
  private readonly lastProducts = new LastKnown<GetProductResponse>();
  private readonly lastPages = new LastKnown<ListProductsResponse>();

  constructor(
    @Inject(CATALOG) private readonly catalog: CatalogClient,
    private readonly stock: StockReader,
  ) {}

  @Get('products')
  @Access('public')
  @ApiOperation({ summary: 'List products, searched and filtered' })
  @TakesIfNoneMatch()
  @Answers(200, 'A page of products.', productPageSchema, {
    ETag: 'Changes with products, prices and stock.',
    ...AGE,
  })
  async list(
    @Query({ schema: listProductsQuery }) query: z.infer<typeof listProductsQuery>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<z.infer<typeof productPageSchema> | undefined> {
    const wanted = {
      query: query.query,
      category: query.category,
      pageSize: query.limit,
      pageToken: query.cursor,
    };
    const page = await this.lastPages.read(JSON.stringify(wanted), () => this.catalog.listProducts(wanted));
    markAge(reply, page.ageSeconds);
    const { products, nextPageToken } = page.answer;
    const stock = await this.stock.of(products);
    const items = products.map((product) => productView(product, stock));
    const versions = items.map((item) => `${item.id}:${item.version}:${stockFingerprint(item)}`);
    if (unchanged(request, reply, digestEtag([...versions, nextPageToken].join(' ')), SHARED)) return undefined;
    return { items, nextCursor: nextCursorView(nextPageToken) };
  }

  @Get('products/:product')
  @Access('public')
  @ApiOperation({ summary: 'Read a product by identifier or slug' })
  @TakesIfNoneMatch()
  @Answers(200, 'The product.', productSchema, {
    ETag: 'Changes with the product, its prices and its stock.',
    ...AGE,
  })
  @Fails({ 404: ['PRODUCT_NOT_FOUND'] })
  async get(
    @Param('product', { schema: productParam }) idOrSlug: string,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductView | undefined> {
    const { answer, ageSeconds } = await this.lastProducts.read(idOrSlug, () =>
      this.catalog.getProduct({ product: idOrSlug }),
    );
    markAge(reply, ageSeconds);
    const view = await this.withStock(answer.product);
    return unchanged(request, reply, productEtag(view), SHARED) ? undefined : view;
  }

  @Post('products')
  @Access('catalog:write')
  @ApiOperation({ summary: 'Add a product' })
  @Answers(201, 'The product.', productSchema, {
    Location: 'Address of the product.',
    ETag: 'Its version.',
    ...REPLAYED,
  })
  @Fails({ 409: ['SLUG_TAKEN', 'SKU_TAKEN'] })
  async create(
    @OptionalKey() key: string,
    @Body({ schema: createProductBody }) body: z.infer<typeof createProductBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductView> {
    const requestId = key || randomUUID();
    const { product, replayed } = await this.catalog.createProduct({ product: toProduct(body), requestId });
    markReplayed(reply, replayed);
    const view = await this.withStock(product);
    void reply.headers({ location: `/v1/products/${view.id}`, etag: productEtag(view) });
    return view;
  }

  @Patch('products/:product')
  @Access('catalog:write')
  @ApiOperation({ summary: 'Change a product' })
  @TakesIfMatch()
  @Answers(200, 'The product after the change.', productSchema, { ETag: 'Its new version.' })
  @Fails({ 404: ['PRODUCT_NOT_FOUND'], 409: ['SKU_TAKEN'] })
  async update(
    @Param('product', { schema: productParam }) idOrSlug: string,
    @Body({ schema: updateProductBody }) body: z.infer<typeof updateProductBody>,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ProductView> {
    const { product } = await this.catalog.updateProduct(toUpdate(idOrSlug, expectedVersion(request), body));
    const view = await this.withStock(product);
    void reply.header('etag', productEtag(view));
    return view;
  }

  @Delete('products/:product')
  @HttpCode(204)
  @Access('catalog:write')
  @ApiOperation({ summary: 'Take a product off sale' })
  @TakesIfMatch()
  @Answers(204, 'The product is off sale.')
  @Fails({ 404: ['PRODUCT_NOT_FOUND'] })
  async remove(
    @Param('product', { schema: productParam }) idOrSlug: string,
    @Req() request: FastifyRequest,
  ): Promise<void> {
    await this.catalog.deleteProduct({ product: idOrSlug, expectedVersion: expectedVersion(request) });
  }

  @Get('categories')
  @Access('public')
  @ApiOperation({ summary: 'List all categories' })
  @Answers(200, 'The categories by name.', categoriesSchema)
  async categories(): Promise<z.infer<typeof categoriesSchema>> {
    const { categories } = await this.catalog.listCategories({});
    return { items: categories.map(({ slug, name }) => ({ slug, name })) };
  }

  private async withStock(answered: Product | undefined): Promise<ProductView> {
    const product = required(answered);
    return productView(product, await this.stock.of([product]));
  }
}

/** Says that an answer is of the past, as the catalogue is away. */
function markAge(reply: FastifyReply, ageSeconds: number | undefined): void {
  if (ageSeconds !== undefined) void reply.header('age', ageSeconds);
}
