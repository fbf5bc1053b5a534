import { DomainError } from '@souk/errors';
import { CartsServiceService } from '@souk/proto/orders/v1';
import { rpcClient } from '@souk/rpc';
import { fakeService } from './fake-service.js';

const options = { caller: 'gateway', serviceToken: 'a-token-for-specs' };

it('answers like the real service, over the wire', async () => {
  const fake = await fakeService(CartsServiceService, {
    getCart: () => ({ cart: undefined }),
    createCart: () => {
      throw new DomainError({ kind: 'exhausted', reason: 'TOO_MANY_CARTS', message: 'Too many.' });
    },
  });
  const client = rpcClient(CartsServiceService, { address: fake.address, ...options });
  await expect(client.getCart({ cartId: 'c1' })).resolves.toEqual({ cart: undefined });
  await expect(client.createCart({})).rejects.toMatchObject({ kind: 'exhausted', reason: 'TOO_MANY_CARTS' });
  expect(fake.calls.map(({ method, request }) => [method, request])).toEqual([
    ['getCart', expect.objectContaining({ cartId: 'c1' })],
    ['createCart', expect.anything()],
  ]);
  client.close();
  await fake.close();
});
