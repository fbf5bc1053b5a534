import { readFileSync } from 'node:fs';
import { workspacePath } from '@souk/testing';
import { FileFault } from './file-fault.js';
import { readProductFile, type FileEntry } from './product-file.js';

const HEADER = 'Handle,Title,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Qty,Variant Price,Image Src';

async function read(text: string | Buffer, currency = 'USD') {
  async function* bytes() {
    yield Buffer.from(text as string);
  }
  const entries: FileEntry[] = [];
  let fault: FileFault | undefined;
  try {
    for await (const entry of readProductFile(bytes(), currency)) entries.push(entry);
  } catch (error) {
    if (!(error instanceof FileFault)) throw error;
    fault = error;
  }
  const products = entries.flatMap(({ draft }) => draft ?? []);
  return { entries, products, rejected: entries.flatMap(({ rejections }) => rejections.shown), fault };
}

const rows = (...lines: string[]) => read([HEADER, ...lines].join('\n'));

describe('a file with everything that Shopify exports', () => {
  const file = readFileSync(workspacePath('apps/catalog/test/data/traits.csv'));

  test('gives each product with its variants', async () => {
    const { entries, products, rejected } = await read(file);
    expect(rejected).toEqual([]);
    expect(entries.map(({ line, rows }) => [line, rows])).toEqual([
      [2, 3],
      [5, 1],
      [9, 2],
    ]);
    expect(products.map(({ slug, variants }) => [slug, variants.map(({ sku }) => sku)])).toEqual([
      ['glass-bracelet', ['GLASS-BRACELET-BLUE', 'GLASS-BRACELET-BLACK']],
      ['cord-choker', ['CORD-CHOKER']],
      ['linen-shirt', ['00123', 'SHIRT-M']],
    ]);
  });

  test('reads prices, stock, weights and codes', async () => {
    const { products } = await read(file);
    const [bracelet, choker, shirt] = products.map(({ variants }) => variants[0]);
    expect(bracelet).toMatchObject({ price: { amount: 4299n, currency: 'USD' }, compareAtPrice: { amount: 4499n } });
    expect(bracelet?.openingStock).toBe(3);
    expect(choker).toMatchObject({ price: { amount: 50000n }, grams: 28, openingStock: 0, options: [] });
    expect(shirt).toMatchObject({ barcode: '4006381333931', openingStock: 0 });
    expect(shirt).not.toHaveProperty('compareAtPrice');
    expect(shirt?.options).toEqual([
      { name: 'Size', value: 'S' },
      { name: 'Colour', value: 'White' },
      { name: 'Fit', value: 'Loose' },
    ]);
  });

  test('keeps the description without what could run in a page', async () => {
    const [, choker] = (await read(file)).products;
    expect(choker?.descriptionHtml).toContain('<li>Length, 12" with 2.5" extender</li>\n<li>Lobster clasp</li>');
    expect(choker?.descriptionHtml).not.toMatch(/script|onclick|steal/);
  });

  test('collects images of all rows in their order, and each tag once', async () => {
    const [bracelet, choker] = (await read(file)).products;
    expect(bracelet?.images.map(({ url }) => url.split('/').at(-1))).toEqual([
      'bracelet.jpg',
      'bracelet-black.jpg',
      'bracelet-box.jpg',
      'bracelet-blue.jpg',
    ]);
    expect(choker?.tags).toEqual(['Cord', 'Gold']);
  });

  test('reads the same with CRLF and a byte order mark', async () => {
    const windows = `\uFEFF${file.toString().replaceAll('\n', '\r\n')}`;
    const { products, rejected } = await read(windows);
    expect(rejected).toEqual([]);
    expect(products.map(({ slug }) => slug)).toEqual(['glass-bracelet', 'cord-choker', 'linen-shirt']);
  });
});

test.each([
  ['lamp,Lamp,,,,,,-5,', 'Variant Price is negative: "-5".'],
  ['lamp,Lamp,,,,,,"19,99",', 'Variant Price is not a number like 19.99: "19,99".'],
  ['lamp,Lamp,,,,,,1e3,', 'Variant Price is not a number like 19.99: "1e3".'],
  ['lamp,Lamp,,,,,,$5,', 'Variant Price is not a number like 19.99: "$5".'],
  ['lamp,Lamp,,,,,,=1+1,', 'Variant Price is not a number like 19.99: "=1+1".'],
  ['lamp,Lamp,,,,,,1.999,', 'Variant Price has more than 2 digits after the point: "1.999".'],
  ['lamp,Lamp,,,,,,99999999999999,', 'Variant Price is more than 10000000000.00: "99999999999999".'],
  ['lamp,Lamp,,,,,,,', 'Variant Price is missing.'],
  ['lamp,,,,,,,5,', "Title is missing on the product's first row."],
  [',Lamp,,,,,,5,', 'Handle is missing.'],
  ['!!!,Lamp,,,,,,5,', 'Handle has no letter or digit.'],
  [`lamp,${'x'.repeat(256)},,,,,,5,`, 'Title is longer than 255 characters.'],
  [`lamp,Lamp,,,,${'x'.repeat(101)},,5,`, 'Variant SKU is longer than 100 characters.'],
  ['lamp,Lamp,,,,,many,5,', 'Variant Inventory Qty is not a whole number: "many".'],
  ['lamp,Lamp,,,,,,5,http://example.com/a.jpg', 'The image is not at an https address: "http://example.com/a.jpg".'],
])('rejects the row %j', async (line, reason) => {
  const { products, rejected } = await rows(line, 'rug,Rug,,,,,,7,');
  expect(products.map(({ slug }) => slug)).toEqual(['rug']);
  expect(rejected).toEqual([{ row: 2, reason }]);
});

test('rejects a bad variant alone and spares what is sold under its SKU', async () => {
  const { entries, products, rejected } = await rows('lamp,Lamp,,Size,S,,,5,', 'lamp,,,,M,,,free,', 'lamp,,,,L,,,7,');
  expect(products[0]?.variants.map(({ sku }) => sku)).toEqual(['LAMP-S', 'LAMP-L']);
  expect(rejected.map(({ row }) => row)).toEqual([3]);
  expect(entries[0]?.sparedSkus).toEqual(['LAMP-M']);
});

test('rejects a SKU or a choice of options that the product has already', async () => {
  const { rejected } = await rows('lamp,Lamp,,Size,S,A,,5,', 'lamp,,,,M,A,,5,', 'lamp,,,,S,B,,5,');
  expect(rejected).toEqual([
    { row: 3, reason: 'The SKU "A" is on line 2 already.' },
    { row: 4, reason: 'Its options are those of "A".' },
  ]);
});

test('rejects all rows of a product whose first row cannot be used', async () => {
  const { products, rejected } = await rows('lamp,,,Size,S,,,5,', 'lamp,,,,M,,,5,', 'rug,Rug,,,,,,7,');
  expect(products).toHaveLength(1);
  expect(rejected.map(({ row }) => row)).toEqual([2, 3]);
});

test('rejects a product that comes again after another one', async () => {
  const { products, rejected } = await rows('lamp,Lamp,,,,,,5,', 'rug,Rug,,,,,,7,', 'Lamp,Lamp,,,,,,6,');
  expect(products.map(({ slug }) => slug)).toEqual(['lamp', 'rug']);
  expect(rejected).toEqual([
    { row: 4, reason: 'The handle "Lamp" came earlier; rows of one product must follow each other.' },
  ]);
});

test('does not put on sale what the merchant hides', async () => {
  const { products, rejected } = await read(
    'Handle,Title,Published,Status,Variant Price\na,A,false,active,1\nb,B,true,draft,1\nc,C,TRUE,Active,1\n',
  );
  expect(products.map(({ slug }) => slug)).toEqual(['c']);
  expect(rejected.map(({ row }) => row)).toEqual([2, 3]);
});

test('leaves out control characters and blank rows, and keeps formulas as text', async () => {
  const { products, entries } = await rows('la\0mp,=1+1 L\u0007amp,,,,,,5,', ',,,,,,,,', '');
  expect(products[0]).toMatchObject({ slug: 'lamp' });
  expect(products[0]?.title).toBe('=1+1 Lamp');
  expect(entries).toHaveLength(1);
});

test('reads prices in the digits that the currency has', async () => {
  const text = 'Handle,Title,Variant Price\na,A,1500\nb,B,15.00\nc,C,15.5\n';
  const { products, rejected } = await read(text, 'JPY');
  expect(products.map(({ variants }) => variants[0]?.price.amount)).toEqual([1500n, 15n]);
  expect(rejected.map(({ row }) => row)).toEqual([4]);
});

test("reads Shopify's newer column names", async () => {
  const text = 'Title,URL handle,Price,SKU,Inventory quantity\nLamp,lamp,5.00,L-1,4\n';
  const { products } = await read(text);
  expect(products[0]?.variants[0]).toMatchObject({ sku: 'L-1', openingStock: 4, price: { amount: 500n } });
});

test.each([
  ['', 'The file is empty.'],
  ['\n\n', 'The file is empty.'],
  [`${HEADER}\n`, 'The file has a header but no products.'],
  ['Name,Email\nAnn,ann@example.com\n', 'lacks the columns "Handle", "Title", "Variant Price"'],
  ['Handle;Title;Variant Price\na;A;1\n', 'Columns are set apart by commas.'],
])('refuses the whole of %j', async (text, reason) => {
  const { entries, fault } = await read(text);
  expect(entries).toEqual([]);
  expect(fault).toMatchObject({ line: 0, reason: expect.stringContaining(reason) });
});

test('gives the products before a quote that is never closed, the last one as possibly incomplete', async () => {
  const { entries, fault } = await rows(
    'rug,Rug,,,,,,7,',
    'lamp,Lamp,,Size,S,,,5,',
    'lamp,,,,"M,,,6,',
    'tea,Tea,,,,,,3,',
  );
  expect(entries.map(({ draft, partial }) => [draft?.slug, partial])).toEqual([
    ['rug', false],
    ['lamp', true],
  ]);
  expect(fault?.line).toBe(4);
});
