import { readFileSync } from 'node:fs';
import { ORDER_TRANSITIONS, type OrderState } from './order-state.js';

const states = Object.keys(ORDER_TRANSITIONS) as OrderState[];

it('lets every state be reached from PENDING', () => {
  const reached = new Set<OrderState>(['PENDING']);
  for (const state of reached) ORDER_TRANSITIONS[state].forEach((next) => reached.add(next));
  expect([...reached].sort()).toEqual([...states].sort());
});

it('never leads back', () => {
  const ancestors = (state: OrderState): OrderState[] =>
    states.filter((from) => ORDER_TRANSITIONS[from].includes(state)).flatMap((from) => [from, ...ancestors(from)]);
  for (const state of states) expect(ancestors(state)).not.toContain(state);
});

it('is drawn in the README as it is', () => {
  const readme = readFileSync(`${__dirname}/../../README.md`, 'utf8');
  const drawn = [...readme.matchAll(/^ {4}(\w+) --> (\w+)$/gm)].map(([, from, to]) => `${from} ${to}`);
  const table = states.flatMap((from) => ORDER_TRANSITIONS[from].map((to) => `${from} ${to}`));
  expect(drawn.sort()).toEqual(table.sort());
});
