import { DomainError } from '@souk/errors';
import { aProduct } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;

beforeEach(async () => void (gateway = await runGateway()));
afterEach(() => gateway.stop());

function away(): never {
  throw new DomainError({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE', message: 'Away.' });
}

it('shows products as they were while the catalogue is away, and says how old that is', async () => {
  const { catalog, inventory } = gateway.services.answers;
  inventory.batchGetStock = () => ({ stock: [] });
  catalog.getProduct = () => ({ product: aProduct() });
  catalog.listProducts = () => ({ products: [aProduct()], nextPageToken: '' });
  const paths = ['/v1/products/lamp', '/v1/products?limit=2'];
  const before = await Promise.all(paths.map(async (path) => (await gateway.fetch(path)).json()));
  catalog.getProduct = away;
  catalog.listProducts = away;
  for (const [index, path] of paths.entries()) {
    const response = await gateway.fetch(path);
    expect([response.status, response.headers.get('age')]).toEqual([200, expect.stringMatching(/^\d+$/)]);
    expect(await response.json()).toEqual(before[index]);
  }
  const unknown = await gateway.fetch('/v1/products/another');
  expect([unknown.status, unknown.headers.get('retry-after')]).toEqual([503, '1']);
  expect(unknown.headers.get('age')).toBeNull();
});
