import { newOrder } from '../../test/order-builder.js';
import { checkCartLine, checkOrderInput, checkUuid, type OrderInput } from './order-input.js';

const { email, shippingAddress } = newOrder();
const good: OrderInput = {
  requestId: 'key-1',
  lines: [{ sku: 'A', quantity: 1 }],
  email,
  shippingAddress,
  payment: { method: 'card', token: 'pm_card_visa', clientDigest: '' },
};

function wrongFields(input: OrderInput): string[] {
  try {
    checkOrderInput(input);
    return [];
  } catch (error) {
    return (error as { violations: { field: string }[] }).violations.map(({ field }) => field);
  }
}

it('takes a complete request', () => {
  expect(wrongFields(good)).toEqual([]);
});

it('names every wrong field at once', () => {
  const wrong: OrderInput = {
    requestId: '',
    lines: [
      { sku: '', quantity: 0 },
      { sku: 'A', quantity: 10_001 },
    ],
    email: 'nobody',
    shippingAddress: { ...shippingAddress, name: ' ', country: 'Germany' },
    payment: { method: 'card', token: '', clientDigest: '' },
  };
  expect(wrongFields(wrong)).toEqual([
    'request_id',
    'lines[0].sku',
    'lines[0].quantity',
    'lines[1].quantity',
    'email',
    'shipping_address.name',
    'shipping_address.country',
    'payment.token',
  ]);
});

it.each<[string, Partial<OrderInput>, string[]]>([
  ['no lines', { lines: [] }, ['lines']],
  ['too many lines', { lines: Array.from({ length: 101 }, () => ({ sku: 'A', quantity: 1 })) }, ['lines']],
  ['lines and a cart', { cartId: '0195a1b2-0000-7000-8000-000000000002' }, ['lines']],
  ['a cart that is none', { lines: [], cartId: 'my-cart' }, ['cart_id']],
  ['no address', { shippingAddress: undefined }, ['shipping_address']],
  ['an unknown method', { payment: { method: 'gold', token: '', clientDigest: '' } }, ['payment.method']],
  ['a token for an invoice', { payment: { method: 'manual', token: 'x', clientDigest: '' } }, ['payment.token']],
])('refuses %s', (_, change, fields) => {
  expect(wrongFields({ ...good, ...change })).toEqual(fields);
});

it('checks carts and identifiers', () => {
  expect(() => checkCartLine('', -1)).toThrow('sku: must have 1 to 100 characters; quantity: must be');
  expect(() => checkUuid('order_id', "1' OR 1=1")).toThrow('order_id: must be a UUID');
});
