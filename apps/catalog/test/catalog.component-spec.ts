import { readFileSync } from 'node:fs';
import { workspacePath } from '@souk/testing';
import { CatalogUnderTest } from './catalog-under-test.js';

let catalog: CatalogUnderTest;

beforeAll(async () => {
  catalog = await CatalogUnderTest.start();
});

afterAll(() => catalog.tearDown());

const sample = () => readFileSync(workspacePath('apps/catalog/sample/products.csv'));

test('imports the sample catalogue', async () => {
  const taken = await catalog.importFile(sample());
  expect(taken).toMatchObject({ state: 'STATE_SUCCEEDED', imported: 41, created: 41, variants: 77, rejected: [] });
});
