import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { INITIAL_STATES, PAYMENT_TRANSITIONS, type PaymentState } from './payment-state.js';

const STATES = Object.keys(PAYMENT_TRANSITIONS) as PaymentState[];

it('reaches every state from an initial one', () => {
  const reached = new Set<PaymentState>(INITIAL_STATES);
  for (const state of reached) PAYMENT_TRANSITIONS[state].forEach((next) => reached.add(next));
  expect([...reached].sort()).toEqual([...STATES].sort());
});

it('never leaves the states in which no money is with the shop and none is to come', () => {
  expect(STATES.filter((state) => PAYMENT_TRANSITIONS[state].length === 0)).toEqual(['DECLINED', 'VOIDED', 'REFUNDED']);
});

it('is drawn in the README as it is in the table', () => {
  const readme = readFileSync(join(__dirname, '../../README.md'), 'utf8');
  const drawn = [...readme.matchAll(/^ {2}(\[\*\]|[A-Z]+) --> (\[\*\]|[A-Z]+)/gm)].map(
    ([, from, to]) => `${from} ${to}`,
  );
  const initial = INITIAL_STATES.map((state) => `[*] ${state}`);
  const table = STATES.flatMap((from) => {
    const next = PAYMENT_TRANSITIONS[from];
    return next.length === 0 ? [`${from} [*]`] : next.map((to) => `${from} ${to}`);
  });
  expect(drawn.sort()).toEqual([...initial, ...table].sort());
});
