import { compare, packagesIn } from './dependencies.ts';

const imports = (delivered: string[], tests: string[] = []) => ({
  delivered: new Set(delivered),
  tests: new Set(tests),
});

it('finds packages, also those imported for their types', () => {
  const text = `import { a } from 'pg';\nimport type { B } from '@souk/rpc';\nexport * from './c.js';\nimport 'node:fs';\nawait import('zod/v4');`;
  expect(packagesIn(text)).toEqual(['pg', '@souk/rpc', 'zod']);
});

it('names what is not declared and what is not used', () => {
  const manifest = { name: '@souk/app', dependencies: { pg: '1', zod: '4' } };
  expect(compare(manifest, imports(['pg', 'pino']), [])).toEqual([
    '@souk/app imports pino and does not declare it.',
    '@souk/app declares zod and does not import it.',
  ]);
});

it('lets tests use devDependencies and what is there for everybody, and nothing else', () => {
  const manifest = { name: '@souk/app', devDependencies: { '@souk/testing': '*' } };
  const wanted = imports([], ['@souk/testing', 'fast-check', 'stripe']);
  expect(compare(manifest, wanted, ['fast-check'])).toEqual(['@souk/app imports stripe and does not declare it.']);
  expect(compare(manifest, imports(['@souk/testing']), ['fast-check'])).toEqual([
    '@souk/app imports @souk/testing and does not declare it.',
  ]);
});
