import { randomUUID } from 'node:crypto';
import { Product, Variant, type CreateProductRequest, type UpdateProductRequest } from '@souk/proto/catalog/v1';
import { decodeEvent } from '@souk/events';
import { eventually } from '@souk/testing';
import { CatalogUnderTest } from './catalog-under-test.js';

let catalog: CatalogUnderTest;

beforeAll(async () => {
  catalog = await CatalogUnderTest.start();
});

afterAll(() => catalog.tearDown());

const usd = (amount: number) => ({ amount: BigInt(amount), currency: 'USD' });

function variant(value: string, amount: number, sku = ''): Variant {
  return Variant.create({ sku, price: usd(amount), options: value ? [{ name: 'Size', value }] : [] });
}

async function create(product: Partial<Product>, more: Partial<CreateProductRequest> = {}): Promise<Product> {
  const request = { product: Product.create(product), requestId: '', ...more };
  return (await catalog.as('staff', (client) => client.createProduct(request))).product!;
}

async function update(product: string, changes: Partial<UpdateProductRequest>): Promise<Product> {
  const request = { product, expectedVersion: 0, ...changes } as UpdateProductRequest;
  return (await catalog.as('staff', (client) => client.updateProduct(request))).product!;
}

function remove(product: string, expectedVersion = 0) {
  return catalog.as('staff', (client) => client.deleteProduct({ product, expectedVersion }));
}

describe('a new product', () => {
  it('gets its slug from the title and its SKUs from slug and options', async () => {
    const made = await create({
      title: ' Brass Teapot ',
      descriptionHtml: '<p onclick="x()">Hot</p><script>x()</script>',
      productType: 'Teapot',
      tags: ['Brass', 'brass', 'Tea'],
      variants: [variant('1 l', 6600), variant('2 l', 9900, 'POT-2')],
    });
    expect(made).toMatchObject({
      slug: 'brass-teapot',
      title: 'Brass Teapot',
      descriptionHtml: '<p>Hot</p>',
      tags: ['Brass', 'Tea'],
      version: 1,
    });
    expect(made.variants.map(({ sku, title }) => [sku, title])).toEqual([
      ['BRASS-TEAPOT-1-L', '1 l'],
      ['POT-2', '2 l'],
    ]);
    expect(made.categories).toEqual([
      { slug: 'brass', name: 'Brass' },
      { slug: 'tea', name: 'Tea' },
      { slug: 'teapot', name: 'Teapot' },
    ]);
    expect(await catalog.product(made.productId)).toEqual(made);
    expect(await catalog.product('brass-teapot')).toEqual(made);
  });

  it('is made once per key, also when it is asked for at once, and its answer stays (F3, F4, F5)', async () => {
    const staff = randomUUID();
    const add = (title: string, requestId: string) => {
      const product = Product.create({ title, variants: [variant('', 100, `${title}-1`)] });
      return catalog.as('staff', (client) => client.createProduct({ product, requestId }), staff);
    };
    const answers = await Promise.all(Array.from({ length: 10 }, () => add('Twin', 'key-1')));
    expect(new Set(answers.map(({ product }) => product?.productId)).size).toBe(1);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    await remove('twin');
    expect(await add('Twin', 'key-1')).toEqual({ ...answers[0], replayed: true });
    await expect(add('Another', 'key-1')).rejects.toMatchObject({ kind: 'conflict', reason: 'REQUEST_ID_REUSED' });
    await expect(catalog.product('twin')).rejects.toMatchObject({ reason: 'PRODUCT_NOT_FOUND' });
  });

  it('is refused where its slug or a SKU is taken', async () => {
    await create({ title: 'Only one', variants: [variant('', 100, 'ONLY')] });
    const slug = create({ title: 'Only one', variants: [variant('', 100, 'ONLY-2')] });
    await expect(slug).rejects.toMatchObject({ kind: 'conflict', reason: 'SLUG_TAKEN' });
    const sku = create({ title: 'Another', variants: [variant('', 100, 'ONLY')] });
    await expect(sku).rejects.toMatchObject({ kind: 'conflict', reason: 'SKU_TAKEN', metadata: { skus: 'ONLY' } });
  });

  it('is refused with every wrong field named', async () => {
    const wrong = create({
      title: 'x'.repeat(256),
      images: [{ url: 'http://example.com/a.jpg', alt: '' }],
      variants: [variant('S', -1), { ...variant('S', 5), price: { amount: 5n, currency: 'EUR' } }],
    });
    const error = await wrong.catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ kind: 'invalid', reason: 'INVALID_ARGUMENT' });
    const fields = (error as { violations: { field: string }[] }).violations.map(({ field }) => field);
    expect(fields).toEqual([
      'product.title',
      'product.images[0].url',
      'product.variants[0].price.amount',
      'product.variants[1].price.currency',
      'product.variants[1].sku',
      'product.variants[1].options',
    ]);
    await expect(create({})).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('is for staff to make', async () => {
    const request = { product: Product.create({ title: 'No' }), requestId: '' };
    const asCustomer = catalog.as('customer', (client) => client.createProduct(request));
    await expect(asCustomer).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  });
});

describe('a change', () => {
  it('touches only the fields that are given, and grows the version', async () => {
    const made = await create({ title: 'Jug', vendor: 'Red Gate', variants: [variant('S', 100), variant('L', 200)] });
    const changed = await update('jug', { title: 'Clay jug', variants: { variants: [variant('L', 250, 'JUG-L')] } });
    expect(changed).toMatchObject({ productId: made.productId, slug: 'jug', vendor: 'Red Gate', version: 2 });
    expect(changed.variants.map(({ sku, price }) => [sku, price?.amount])).toEqual([['JUG-L', 250n]]);
    expect(changed.updateTime!.getTime()).toBeGreaterThan(made.updateTime!.getTime());
  });

  it('that changes nothing leaves the version', async () => {
    await create({ title: 'Tray', variants: [variant('', 100)] });
    expect(await update('tray', { title: 'Tray' })).toMatchObject({ version: 1 });
  });

  it('is refused on top of another version than the one it was based on', async () => {
    await create({ title: 'Cup', variants: [variant('', 100)] });
    const outcomes = await Promise.allSettled(
      ['Red', 'Blue', 'Green'].map((title) => update('cup', { title, expectedVersion: 1 })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const stale = update('cup', { title: 'Late', expectedVersion: 1 });
    await expect(stale).rejects.toMatchObject({
      kind: 'mismatch',
      reason: 'VERSION_MISMATCH',
      metadata: { actual: '2' },
    });
    await expect(update('nowhere', { title: 'x' })).rejects.toMatchObject({ reason: 'PRODUCT_NOT_FOUND' });
  });
});

describe('a product that is taken off sale', () => {
  it('is found and priced no more, and leaves slug and SKU free', async () => {
    const made = await create({ title: 'Old lamp', tags: ['retired'], variants: [variant('', 100, 'OLD')] });
    await expect(remove('old-lamp', 7)).rejects.toMatchObject({ reason: 'VERSION_MISMATCH' });
    await remove('old-lamp', 1);
    await expect(catalog.product(made.productId)).rejects.toMatchObject({ reason: 'PRODUCT_NOT_FOUND' });
    expect((await catalog.client.batchGetVariants({ skus: ['OLD'] })).variants).toEqual([]);
    expect((await catalog.list({ category: 'retired' })).products).toEqual([]);
    expect((await catalog.client.listCategories({})).categories).not.toContainEqual(
      expect.objectContaining({ slug: 'retired' }),
    );
    const again = await create({ title: 'Old lamp', variants: [variant('', 100, 'OLD')] });
    expect(again.productId).not.toBe(made.productId);
    const added = (await catalog.events('VariantAdded')).filter(({ aggregateId }) => aggregateId === 'OLD');
    expect(added).toHaveLength(1);
    expect(await catalog.events('ProductDeleted')).toContainEqual({
      aggregateId: made.productId,
      data: { productId: made.productId, slug: 'old-lamp' },
    });
  });
});

describe('prices', () => {
  it('are given for what is on sale, in one answer for calls that come together', async () => {
    await create({ title: 'Rug', variants: [variant('S', 100, 'RUG-S'), variant('L', 300, 'RUG-L')] });
    await create({ title: 'Tea', variants: [variant('', 50, 'TEA')] });
    const ask = (...skus: string[]) => catalog.client.batchGetVariants({ skus });
    const [both, tea, none] = await Promise.all([ask('RUG-L', 'TEA', 'NOPE', 'TEA'), ask('TEA'), ask('NOPE', '\0')]);
    const titles = both.variants.map(({ sku, title, price }) => [sku, title, price?.amount]).sort();
    expect(titles).toEqual([
      ['RUG-L', 'Rug (L)', 300n],
      ['TEA', 'Tea', 50n],
    ]);
    expect(tea.variants).toHaveLength(1);
    expect(none.variants).toEqual([]);
  });

  it('are asked for at most 500 SKUs at once', async () => {
    const skus = Array.from({ length: 501 }, (_, index) => `S-${index}`);
    await expect(catalog.client.batchGetVariants({ skus })).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });
});

describe('the list', () => {
  it('goes on where the page before ended, newest first, without holes or repetitions', async () => {
    for (let n = 1; n <= 7; n++) await create({ title: `Paged ${n}`, tags: ['paged'], variants: [variant('', n)] });
    const titles: string[] = [];
    let pageToken = '';
    do {
      const page = await catalog.list({ category: 'paged', pageSize: 3, pageToken });
      titles.push(...page.products.map(({ title }) => title));
      pageToken = page.nextPageToken;
    } while (pageToken);
    expect(titles).toEqual([7, 6, 5, 4, 3, 2, 1].map((n) => `Paged ${n}`));
  });

  it('refuses a token of another list, and sizes below 0', async () => {
    const { nextPageToken } = await catalog.list({ category: 'paged', pageSize: 3 });
    await expect(catalog.list({ pageToken: nextPageToken })).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
    await expect(catalog.list({ pageSize: -1 })).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });
});

test('events reach the broker', async () => {
  const made = await create({ title: 'Heard of', variants: [variant('', 100, 'HEARD')] });
  const { bus } = catalog.nats;
  const event = await eventually(async () => {
    const subject = bus.subject('souk.catalog.v1.VariantAdded');
    const last = await bus.jsm.streams.getMessage(bus.stream('CATALOG'), { last_by_subj: subject });
    const decoded = decodeEvent(last!.header, last!.data);
    expect(decoded.aggregateId).toBe('HEARD');
    return decoded;
  });
  expect(JSON.parse(event.data)).toEqual({ sku: 'HEARD', productId: made.productId });
});
