import { OutboxRelay } from '@souk/outbox';
import { createLogger } from '@souk/telemetry';
import { testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { CatalogStore } from './catalog.store.js';
import type { PagePosition } from './page-token.js';
import type { ProductDraft } from './product-draft.js';

let postgres: TestDatabase;
let nats: TestNats;
let store: CatalogStore;

beforeAll(async () => {
  postgres = await testDatabase({ migrations: 'apps/catalog/migrations' });
  nats = await testNats();
  const relay = new OutboxRelay({
    database: postgres.database,
    bus: nats.bus,
    source: 'catalog',
    logger: createLogger('test'),
  });
  store = new CatalogStore(postgres.database, relay);
  await add('Silver Necklace', { tags: ['Pendant'], vendor: 'Silversmiths' });
  await add('Amber Necklaces', { descriptionHtml: '<p>Beads of amber, for running after <b>silver</b> clouds</p>' });
  await add('Gold Rings', { tags: ['Gold', 'Wedding'] });
  await add('Running Shoes', { productType: 'Sport' });
  await add('The Lamp', { descriptionHtml: '<p class="hidden">Light</p>' });
});

afterAll(async () => {
  await nats.close();
  await postgres.drop();
});

function add(title: string, more: Partial<ProductDraft> = {}) {
  const slug = title.toLowerCase().replaceAll(' ', '-');
  const price = { amount: 100n, currency: 'USD' };
  return store.create({
    ...{ slug, title, descriptionHtml: '', vendor: '', productType: '', tags: [], images: [] },
    variants: [{ sku: slug, options: [], price, barcode: '', grams: 0, openingStock: 0 }],
    ...more,
  });
}

async function search(query: string, category = ''): Promise<string[]> {
  const listed = await store.list({ query, category }, undefined, 10);
  return listed.map(({ product }) => product.title);
}

test.each([
  ['neck', ['Silver Necklace', 'Amber Necklaces']],
  ['necklaces', ['Silver Necklace', 'Amber Necklaces']],
  ['silver neckl', ['Silver Necklace', 'Amber Necklaces']],
  ['ring', ['Gold Rings']],
  ['runni', ['Running Shoes']],
  ['run', ['Running Shoes', 'Amber Necklaces']],
  ['silversmi', ['Silver Necklace']],
  ['wedding', ['Gold Rings']],
  ['sport', ['Running Shoes']],
  ['necklace -amber', ['Silver Necklace']],
  ['"silver necklace"', ['Silver Necklace']],
  ['rings or shoes', ['Running Shoes', 'Gold Rings']],
  ['the lamp', ['The Lamp']],
  ['hidden', []],
  ['zebra', []],
])('finds %j in words, stems and beginnings', async (query, titles) => {
  expect((await search(query)).sort()).toEqual([...titles].sort());
});

test('puts a match in the title before one in the description', async () => {
  expect(await search('silver')).toEqual(['Silver Necklace', 'Amber Necklaces']);
});

test.each(['&', "'", '!!', '<->', ':*', 'a:*&', '"', '-', '\0', "o'neil", '(((', '\\', 'the', 'x'.repeat(200)])(
  'answers the odd query %j',
  async (query) => {
    await expect(search(query)).resolves.toEqual(expect.any(Array));
  },
);

test('searches within a category', async () => {
  expect(await search('silver', 'pendant')).toEqual(['Silver Necklace']);
});

test('turns the pages of a search in the order of fit', async () => {
  const filter = { query: 'neck', category: '' };
  const seen: string[] = [];
  let after: PagePosition | undefined;
  for (;;) {
    const [next] = await store.list(filter, after, 1);
    if (!next) break;
    seen.push(next.product.title);
    after = next.position;
  }
  expect(seen).toEqual(await search('neck'));
});

test('keeps a SKU with one product though twenty ask for it at once', async () => {
  const tries = Array.from({ length: 20 }, (_, n) =>
    add(`Contested ${n}`, {
      variants: [
        { sku: 'HOT', options: [], price: { amount: 1n, currency: 'USD' }, barcode: '', grams: 0, openingStock: 0 },
      ],
    }),
  );
  const outcomes = await Promise.allSettled(tries);
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []));
  expect(reasons.every((error) => 'reason' in error && error.reason === 'SKU_TAKEN')).toBe(true);
});
