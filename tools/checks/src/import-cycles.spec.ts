import { cyclesOf } from './import-cycles.ts';
import { runtimeImports } from './imports.ts';

const graph = (edges: Record<string, string[]>) => new Map(Object.entries(edges));

describe('circles of imports', () => {
  it('are none in a tree and in a diamond', () => {
    expect(cyclesOf(graph({ a: ['b', 'c'], b: ['d'], c: ['d'], d: [] }))).toEqual([]);
  });

  it('are found however long the way in is', () => {
    expect(cyclesOf(graph({ a: ['b'], b: ['c'], c: ['d'], d: ['b'] }))).toEqual([['b', 'c', 'd', 'b']]);
  });

  it('are found where a file imports itself', () => {
    expect(cyclesOf(graph({ a: ['a'] }))).toEqual([['a', 'a']]);
  });
});

describe('imports at run time', () => {
  it.each([
    ["import { a } from './a.js';", ['./a.js']],
    ["import './a.js';", ['./a.js']],
    ["import { type A, b } from './a.js';", ['./a.js']],
    ["export * from './a.js';", ['./a.js']],
    ["import type { A } from './a.js';", []],
    ["import { type A } from './a.js';", []],
    ["export type { A } from './a.js';", []],
    ["export { type A } from './a.js';", []],
  ])('%s', (code, specifiers) => {
    expect(runtimeImports('x.ts', code)).toEqual(specifiers);
  });
});
