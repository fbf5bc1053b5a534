import { orderBody } from '../../test/builders.js';
import { placeOrderBody } from './orders.schemas.js';
import { createProductBody, listProductsQuery, updateProductBody } from './products.schemas.js';
import { violationsOf, type Issue } from './validation.pipe.js';
import type { z } from 'zod';

function wrongFields(schema: z.ZodType, value: unknown): string[] {
  const issues = schema.safeParse(value).error?.issues ?? [];
  return violationsOf(issues as unknown as Issue[], '').map(({ field }) => field);
}

describe('an order', () => {
  it('says what to buy by lines or by cart, and not by both or neither', () => {
    const { lines, ...rest } = orderBody();
    const cartId = '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a61';
    expect(wrongFields(placeOrderBody, { ...rest, lines })).toEqual([]);
    expect(wrongFields(placeOrderBody, { ...rest, cartId })).toEqual([]);
    expect(wrongFields(placeOrderBody, { ...rest, lines, cartId })).toEqual(['lines']);
    expect(wrongFields(placeOrderBody, rest)).toEqual(['lines']);
  });

  it('is paid by a card with a token, or without a card', () => {
    expect(wrongFields(placeOrderBody, { ...orderBody(), payment: { method: 'manual' } })).toEqual([]);
    expect(wrongFields(placeOrderBody, { ...orderBody(), payment: { method: 'card' } })).toEqual(['payment.token']);
    expect(wrongFields(placeOrderBody, { ...orderBody(), payment: { method: 'cash' } })).toEqual(['payment.method']);
  });

  it('is told that the whole body is missing', () => {
    expect(wrongFields(placeOrderBody, undefined)).toEqual(['body']);
    expect(wrongFields(placeOrderBody, [])).toEqual(['body']);
  });
});

it('lists 20 products unless told otherwise', () => {
  expect(listProductsQuery.parse({})).toEqual({ query: '', category: '', limit: 20, cursor: '' });
  expect(listProductsQuery.parse({ limit: '100', utm_source: 'x' })).toMatchObject({ limit: 100 });
});

it('wants at least one variant of a product, and at least one change to it', () => {
  expect(wrongFields(createProductBody, { title: 'Lamp', variants: [] })).toEqual(['variants']);
  expect(wrongFields(updateProductBody, {})).toEqual(['body']);
});
