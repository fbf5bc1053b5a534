import { deriveSku, isSlug, slugify } from './slug.js';

test('makes a slug of words in any script', () => {
  expect(slugify("Men's Çelik Bowl, 22 cm")).toBe('mens-celik-bowl-22-cm');
  expect(slugify('Ковёр «Самарканд»')).toBe('ковер-самарканд');
  expect(slugify(' ★ ')).toBe('');
});

test('takes a handle as it is where it is a slug', () => {
  expect(['brass-lantern', 'a_b', '茶'].every(isSlug)).toBe(true);
  expect(['', 'Brass', 'a b', 'a/b'].some(isSlug)).toBe(false);
});

test('derives the same SKU from the same handle and options', () => {
  expect(deriveSku('chain-bracelet', ['Black'])).toBe('CHAIN-BRACELET-BLACK');
  expect(deriveSku('linen-shirt', ['M', 'Off White'])).toBe('LINEN-SHIRT-M-OFF-WHITE');
  expect(deriveSku('copper-light', [])).toBe('COPPER-LIGHT');
});

test('derives different SKUs where options have no letters, and never one that is too long', () => {
  expect(deriveSku('ring', ['★'])).not.toBe(deriveSku('ring', ['☆']));
  const long = deriveSku('x'.repeat(200), ['a']);
  expect(long).toHaveLength(100);
  expect(long).not.toBe(deriveSku('x'.repeat(200), ['b']));
});
