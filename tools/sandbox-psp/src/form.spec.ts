import { canonical, parseForm, texts } from './form.ts';

it('reads nested brackets', () => {
  const form = parseForm('amount=5&metadata[a]=1&metadata[b%5D]=2&expand[0]=x&expand[1]=y');
  expect(form.amount).toBe('5');
  expect(texts(form, 'metadata').a).toBe('1');
  expect(Object.values(texts(form, 'expand'))).toEqual(['x', 'y']);
});

it('takes __proto__ for a name like any other', () => {
  parseForm('__proto__[polluted]=1');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
});

it('calls forms equal whatever the order of their fields', () => {
  expect(canonical(parseForm('a=1&m[x]=1&m[y]=2'))).toBe(canonical(parseForm('m[y]=2&a=1&m[x]=1')));
  expect(canonical(parseForm('a=1'))).not.toBe(canonical(parseForm('a=2')));
});
