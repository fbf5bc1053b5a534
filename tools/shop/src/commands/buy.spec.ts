import { parseLine } from './buy.ts';

describe('what to buy', () => {
  it.each([
    ['LAMP', { sku: 'LAMP', quantity: 1 }],
    ['LAMP=3', { sku: 'LAMP', quantity: 3 }],
    ['A=B=2', { sku: 'A=B', quantity: 2 }],
  ])('%s', (item, line) => {
    expect(parseLine(item)).toEqual(line);
  });

  it.each(['LAMP=0', 'LAMP=-1', 'LAMP=x', 'LAMP=', 'LAMP=1.5', '=2', ''])('is refused: "%s"', (item) => {
    expect(() => parseLine(item)).toThrow('is not a SKU with a quantity');
  });
});
