import { readFileSync } from 'node:fs';
import { eventually, workspacePath } from '@souk/testing';
import { VariantAdded } from '@souk/proto/catalog/v1';
import { CatalogUnderTest } from './catalog-under-test.js';

const HEADER = 'Handle,Title,Tags,Type,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price';

let catalog: CatalogUnderTest;

beforeAll(async () => {
  catalog = await CatalogUnderTest.start();
});

afterAll(() => catalog.tearDown());

function file(...lines: string[]): string {
  return `${[HEADER, ...lines].join('\n')}\n`;
}

/** Products of three variants each, some without SKU. */
function manyProducts(name: string, count: number): string {
  const rows = Array.from({ length: count }, (_, product) => {
    const handle = `${name}-${product}`;
    const sku = (size: string) => (product % 2 === 0 ? '' : `${handle}-${size}`);
    return [
      `${handle},Product ${product},"${name}, tag${product % 7}",Type ${product % 5},Size,S,${sku('s')},${product},10.00`,
      `${handle},,,,,M,${sku('m')},2,11`,
      `${handle},,,,,L,${sku('l')},,12.5`,
    ];
  });
  return file(...rows.flat());
}

test('imports a file of several hundred rows and says what came of it', async () => {
  const text = manyProducts('basket', 250);
  const taken = await catalog.upload(text);
  expect(taken).toMatchObject({ rows: 0, sizeBytes: BigInt(text.length) });
  const ended = await catalog.ended(taken.importId);
  expect(ended).toMatchObject({
    state: 'STATE_SUCCEEDED',
    rows: 750,
    imported: 250,
    created: 250,
    updated: 0,
    variants: 750,
    rejectedCount: 0,
    readBytes: BigInt(text.length),
  });
  expect(ended.endTime).toBeInstanceOf(Date);
  const product = await catalog.product('basket-4');
  expect(product.variants.map(({ sku, title }) => [sku, title])).toEqual([
    ['BASKET-4-S', 'S'],
    ['BASKET-4-M', 'M'],
    ['BASKET-4-L', 'L'],
  ]);
  expect(product.categories.map(({ slug }) => slug)).toEqual(['basket', 'tag4', 'type-4']);
});

test('deletes the bytes of a file once it is worked through', async () => {
  await catalog.importFile(file('bytes,Bytes,,,,,,,1'));
  const statement = { name: 'test.chunks', text: 'SELECT 1 FROM import_chunks' };
  expect(await catalog.postgres.database.query(statement)).toEqual([]);
});

test('announces each SKU with its opening stock once it is on sale for the first time', async () => {
  await catalog.importFile(file('stocked,Stocked,,,Size,S,STOCK-S,12,1', 'stocked,,,,,M,STOCK-M,-3,1'));
  await catalog.importFile(file('stocked,Stocked,,,Size,S,STOCK-S,50,2'));
  await catalog.importFile(file('stocked,Stocked,,,Size,S,STOCK-S,50,2', 'stocked,,,,,M,STOCK-M,9,1'));
  const { productId } = await catalog.product('stocked');
  const added = (await catalog.events('VariantAdded')).filter(({ aggregateId }) => aggregateId.startsWith('STOCK-'));
  expect(added.map(({ data }) => VariantAdded.fromJSON(data))).toEqual([
    { sku: 'STOCK-S', productId, openingStock: 12 },
    { sku: 'STOCK-M', productId, openingStock: 0 },
  ]);
});

test('changes nothing by the same file, and by an edited one only what was edited', async () => {
  const text = manyProducts('vase', 30);
  await catalog.importFile(text);
  const before = await catalog.list({ category: 'vase' });
  const eventsBefore = await catalog.events('ProductChanged');

  const again = await catalog.importFile(text);
  expect(again).toMatchObject({ state: 'STATE_SUCCEEDED', imported: 30, created: 0, updated: 0, variants: 90 });
  expect(await catalog.list({ category: 'vase' })).toEqual(before);
  expect(await catalog.events('ProductChanged')).toEqual(eventsBefore);

  const edited = await catalog.importFile(text.replace('vase-3,Product 3,', 'vase-3,Renamed,'));
  expect(edited).toMatchObject({ imported: 30, created: 0, updated: 1 });
  const after = await catalog.list({ category: 'vase' });
  const changed = after.products.filter((product, index) => product.version !== before.products[index]!.version);
  expect(changed.map(({ title, version }) => [title, version])).toEqual([['Renamed', 2]]);
  expect(await catalog.events('ProductChanged')).toHaveLength(eventsBefore.length + 1);
});

test('keeps products that a later file does not name', async () => {
  await catalog.importFile(file('kept,Kept,,,,,,,1'));
  await catalog.importFile(file('other,Other,,,,,,,1'));
  expect(await catalog.product('kept')).toMatchObject({ version: 1 });
});

test('rejects rows with their reasons and imports the rest', async () => {
  const ended = await catalog.importFile(
    file(
      'good-bowl,Good bowl,,,,,BOWL,1,5',
      'negative,Negative,,,,,,1,-5',
      'no-number,No number,,,,,,1,five',
      'untitled,,,,,,,1,5',
      'thief,Thief,,,,,BOWL,1,5',
      `long,${'x'.repeat(300)},,,,,,1,5`,
    ),
  );
  expect(ended).toMatchObject({ state: 'STATE_SUCCEEDED', rows: 6, imported: 1, rejectedCount: 5 });
  expect(ended.rejected).toEqual([
    { row: 3, reason: 'Variant Price is negative: "-5".' },
    { row: 4, reason: 'Variant Price is not a number like 19.99: "five".' },
    { row: 5, reason: "Title is missing on the product's first row." },
    { row: 6, reason: 'The SKU "BOWL" is sold as "good-bowl" already.' },
    { row: 7, reason: 'Title is longer than 255 characters.' },
  ]);
});

test('shows the first 1,000 rejections of more', async () => {
  const lines = Array.from({ length: 1_300 }, (_, index) => `free-${index},Free,,,,,,,nothing`);
  const ended = await catalog.importFile(file(...lines));
  expect(ended).toMatchObject({ state: 'STATE_SUCCEEDED', rejectedCount: 1_300, imported: 0 });
  expect(ended.rejected).toHaveLength(1_000);
  expect(ended.rejected.at(-1)?.row).toBe(1_001);
});

test('leaves what is on sale under a rejected row as it is', async () => {
  await catalog.importFile(file('pair,Pair,,,Size,S,PAIR-S,1,5', 'pair,,,,,M,PAIR-M,1,6', 'pair,,,,,L,PAIR-L,1,7'));
  await catalog.importFile(file('pair,Pair,,,Size,S,PAIR-S,1,8', 'pair,,,,,M,PAIR-M,1,oops'));
  const prices = (await catalog.product('pair')).variants.map(({ sku, price }) => [sku, price?.amount]);
  expect(prices).toEqual([
    ['PAIR-S', 800n],
    ['PAIR-M', 600n],
  ]);
});

describe('a broken file', () => {
  test.each([
    ['a wrong header', 'Name,Mail\na,b\n', 'not a product file'],
    ['only a header', file(), 'no products'],
    ['Latin-1', Buffer.from(file('cafe,Caf\u00e9,,,,,,,5'), 'latin1'), 'not in UTF-8: line 2'],
    ['UTF-16', Buffer.from(`\uFEFF${file('lamp,Lamp,,,,,,,5')}`, 'utf16le'), 'UTF-16'],
  ])('is refused whole: %s', async (_name, text, reason) => {
    const ended = await catalog.importFile(text);
    expect(ended).toMatchObject({ state: 'STATE_FAILED', imported: 0, rejectedCount: 1 });
    expect(ended.rejected).toEqual([{ row: 0, reason: expect.stringContaining(reason) }]);
  });

  test('is imported up to a quote that is never closed, and takes nothing off sale', async () => {
    await catalog.importFile(file('cut,Cut,,,Size,S,CUT-S,1,5', 'cut,,,,,M,CUT-M,1,6'));
    const ended = await catalog.importFile(
      file('before,Before,,,,,,1,5', 'cut,Cut,,,Size,S,CUT-S,1,9', 'cut,,,,,"M,CUT-M,1,6', 'after,After,,,,,,1,5'),
    );
    expect(ended).toMatchObject({ state: 'STATE_FAILED', imported: 2, rejectedCount: 1 });
    expect(ended.rejected).toEqual([{ row: 4, reason: expect.stringContaining('never closed') }]);
    const cut = await catalog.product('cut');
    expect(cut.variants.map(({ sku, price }) => [sku, price?.amount])).toEqual([
      ['CUT-S', 900n],
      ['CUT-M', 600n],
    ]);
    await expect(catalog.product('after')).rejects.toMatchObject({ reason: 'PRODUCT_NOT_FOUND' });
  });

  test('that is empty, or too large, is not taken on at all', async () => {
    await expect(catalog.upload('')).rejects.toMatchObject({ kind: 'invalid', reason: 'IMPORT_EMPTY' });
    const large = `${HEADER}\n${'x'.repeat(3 * 1024 * 1024)}`;
    await expect(catalog.upload(large)).rejects.toMatchObject({ kind: 'invalid', reason: 'IMPORT_TOO_LARGE' });
    const statement = { name: 'test.receiving', text: `SELECT 1 FROM imports WHERE state = 'RECEIVING'` };
    expect(await catalog.postgres.database.query(statement)).toEqual([]);
  });
});

test('goes on after a restart, and counts nothing twice', async () => {
  const text = manyProducts('carpet', 2_500);
  const { importId } = await catalog.upload(text);
  await eventually(async () => expect((await catalog.import(importId)).imported).toBeGreaterThan(0));
  await catalog.stopService();
  await catalog.startService();
  const between = await catalog.import(importId);
  expect(between.state).not.toBe('STATE_SUCCEEDED');
  expect(between.imported).toBeLessThan(2_500);
  const ended = await catalog.ended(importId);
  expect(ended).toMatchObject({
    state: 'STATE_SUCCEEDED',
    rows: 7_500,
    imported: 2_500,
    created: 2_500,
    variants: 7_500,
  });
});

test('takes over the import of a process that died without a word', async () => {
  const text = manyProducts('orphan', 20);
  await catalog.stopService();
  await catalog.startService();
  const { importId } = await catalog.upload(text);
  await catalog.ended(importId);
  const orphaned = {
    name: 'test.orphan',
    text: `WITH chunk AS (INSERT INTO import_chunks (import_id, position, bytes) VALUES ($1, 0, $2))
           UPDATE imports SET state = 'RUNNING', ended_at = NULL, lease_owner = gen_random_uuid(),
                  lease_until = now() - interval '1 second' WHERE id = $1`,
  };
  await catalog.postgres.database.query(orphaned, [importId, Buffer.from(text)]);
  expect(await catalog.ended(importId)).toMatchObject({ state: 'STATE_SUCCEEDED', rows: 60, imported: 20 });
});

test('imports the sample catalogue whole', async () => {
  const ended = await catalog.importFile(readFileSync(workspacePath('apps/catalog/sample/products.csv')));
  expect(ended).toMatchObject({ state: 'STATE_SUCCEEDED', imported: 41, created: 41, variants: 77, rejected: [] });
});

test('is for staff only', async () => {
  async function* nothing() {
    yield { chunk: Buffer.from('x') };
  }
  const asCustomer = catalog.as('customer', (client) => client.importProducts(nothing()));
  await expect(asCustomer).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  await expect(catalog.client.getImport({ importId: 'x' })).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  const unknown = catalog.as('staff', (client) => client.getImport({ importId: 'x' }));
  await expect(unknown).rejects.toMatchObject({ reason: 'IMPORT_NOT_FOUND' });
});
