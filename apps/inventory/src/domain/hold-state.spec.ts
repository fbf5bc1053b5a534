import { readFileSync } from 'node:fs';
import path from 'node:path';
import { canBecome, FIRST_HOLD_STATES, HOLD_TRANSITIONS, type HoldState } from './hold-state.js';

const STATES = Object.keys(HOLD_TRANSITIONS) as HoldState[];

describe('the states of a hold', () => {
  it('are all reachable', () => {
    const reached = new Set<HoldState>(FIRST_HOLD_STATES);
    for (const state of reached) HOLD_TRANSITIONS[state].forEach((next) => reached.add(next));
    expect([...reached].sort()).toEqual([...STATES].sort());
  });

  it('end in REFUSED or RELEASED', () => {
    expect(STATES.filter((state) => HOLD_TRANSITIONS[state].length === 0)).toEqual(['REFUSED', 'RELEASED']);
  });

  it('never go back to HELD', () => {
    expect(STATES.filter((state) => canBecome(state, 'HELD'))).toEqual([]);
  });

  it('are drawn in the README as the table has them', () => {
    const readme = readFileSync(path.join(__dirname, '../../README.md'), 'utf8');
    const diagram = /```mermaid\nstateDiagram-v2\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const drawn = [...diagram.matchAll(/^\s*(\S+) --> (\S+?)(?: ?:.*)?$/gm)].map(([, from, to]) => `${from} ${to}`);
    const declared = [
      ...FIRST_HOLD_STATES.map((state) => `[*] ${state}`),
      ...STATES.flatMap((from) => HOLD_TRANSITIONS[from].map((to) => `${from} ${to}`)),
      ...STATES.filter((state) => HOLD_TRANSITIONS[state].length === 0).map((state) => `${state} [*]`),
    ];
    expect(drawn.sort()).toEqual(declared.sort());
  });
});
