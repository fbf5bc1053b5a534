import { RetryBudget } from './retry-budget.js';

it('allows a hundred repetitions at once, and then one for every ten calls', () => {
  const budget = new RetryBudget();
  const spend = (times: number) => Array.from({ length: times }, () => budget.spend()).filter(Boolean).length;
  expect(spend(200)).toBe(100);
  for (let call = 0; call < 100; call++) budget.earn();
  expect(spend(200)).toBeGreaterThanOrEqual(9);
  expect(spend(200)).toBe(0);
  for (let call = 0; call < 10_000; call++) budget.earn();
  expect(spend(200)).toBe(100);
});
