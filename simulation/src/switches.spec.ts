import { simulateAll } from './seeds.ts';
import { SWITCHES } from './switches.ts';

/** Several times as many as were ever needed to find out. */
const MOST_RUNS = 1_000;

describe('the simulation', () => {
  it.each(SWITCHES)(
    'notices that %s is switched off, and finds nothing where it is on',
    async (switchedOff) => {
      const { broken } = await simulateAll({ first: 1, runs: MOST_RUNS, switchedOff, untilBroken: true });
      expect(broken).not.toEqual([]);
      const [{ seed } = { seed: 0 }] = broken;
      expect((await simulateAll({ first: seed, runs: 1 })).broken).toEqual([]);
    },
    180_000,
  );
});
