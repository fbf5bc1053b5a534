import { lengthOf, planFaults } from './fault-plan.ts';
import { Random } from './random.ts';
import { INSTANCES, SERVERS } from './topology.ts';

const MINUTE_AND_A_HALF = 90_000;

function plan(seed: string, lengthMs = MINUTE_AND_A_HALF) {
  return planFaults(new Random(seed), lengthMs);
}

it('is the same for the same seed, and another for another', () => {
  expect(plan('1')).toEqual(plan('1'));
  expect(plan('1')).not.toEqual(plan('2'));
});

it.each(['1', '2', '3', '4', '5'])('has every kind of fault in a minute and a half (seed %s)', (seed) => {
  const labels = new Set(plan(seed).map(({ label }) => label));
  for (const target of [...INSTANCES.map(({ name }) => name), ...SERVERS])
    expect(labels).toContain(`kill -9 ${target}`);
  expect(labels).toEqual(new Set(plan(seed, 20 * MINUTE_AND_A_HALF).map(({ label }) => label)));
});

it('leaves quiet spells, but for pauses that must outlast a lease', () => {
  const acting = plan('1').filter(({ fault }) => lengthOf(fault) < 20_000);
  const busy = (moment: number) => acting.some(({ at, fault }) => at <= moment && moment <= at + lengthOf(fault));
  const moments = Array.from({ length: 900 }, (_, tenth) => tenth * 100);
  expect(moments.filter((moment) => !busy(moment)).length).toBeGreaterThan(80);
});
