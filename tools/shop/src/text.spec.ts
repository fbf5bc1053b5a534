import { plain, price, shortened, table, textOfHtml } from './text.ts';

describe('an amount', () => {
  it.each([
    [1999, 'USD', '$19.99'],
    [1999, 'JPY', '¥1,999'],
    [1999, 'KWD', 'KWD 1.999'],
    [0, 'EUR', '€0.00'],
  ])('%d %s is written with the digits of its currency', (amount, currency, text) => {
    expect(plain(price({ amount, currency }))).toBe(text.replace(' ', '\u00a0'));
  });
});

describe('a table', () => {
  const columns = [
    { title: 'SKU', value: ({ sku }: { sku: string }) => sku, max: 8 },
    { title: 'UNITS', value: ({ units }: { units: number }) => String(units), align: 'right' as const },
  ];
  const rows = [
    { sku: 'LAMP', units: 7 },
    { sku: 'LANTERN-BRASS', units: 1200 },
  ];

  it('aligns its columns and shortens what is too long', () => {
    expect(table(rows, columns).split('\n')).toEqual(['SKU       UNITS', 'LAMP          7', 'LANTERN…   1200']);
  });

  it('keeps control characters from the terminal', () => {
    const [, row] = table([{ sku: 'A\u001b[3\nB', units: 1 }], columns).split('\n');
    expect(row).toBe('A [3 B      1');
  });
});

it('shortens by characters, not by bytes', () => {
  expect(shortened('سوق سوق', 4)).toBe('سوق…');
  expect(shortened('short', 5)).toBe('short');
});

it('makes running text of HTML', () => {
  expect(textOfHtml('<p>Brass &amp; glass,<br>20&nbsp;cm</p>')).toBe('Brass & glass, 20 cm');
});
