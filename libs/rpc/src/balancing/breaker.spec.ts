import { Breaker } from './breaker.js';

let now = 0;
let breaker: Breaker;

beforeEach(() => {
  now = 0;
  breaker = new Breaker(() => now);
});

function fail(times: number): boolean[] {
  return Array.from({ length: times }, () => {
    breaker.entered();
    return breaker.failed();
  });
}

it('opens after five failures in a row, and not where a call was answered between them', () => {
  expect(fail(4)).toEqual([false, false, false, false]);
  breaker.succeeded();
  expect(fail(5)).toEqual([false, false, false, false, true]);
  expect([breaker.state, breaker.allows]).toEqual(['open', false]);
});

it('lets one call through after a while, which decides', () => {
  fail(5);
  now = 1_000;
  expect(breaker.state).toBe('half-open');
  expect(breaker.allows).toBe(true);
  breaker.entered();
  expect(breaker.allows).toBe(false);
  expect(breaker.failed()).toBe(true);
  now = 2_999;
  expect(breaker.allows).toBe(false);
  now = 3_000;
  breaker.entered();
  breaker.succeeded();
  expect([breaker.state, breaker.allows]).toEqual(['closed', true]);
});

it('waits longer each time, up to four seconds', () => {
  fail(5);
  const waits = [1, 2, 3, 4].map(() => {
    const waited = breaker.restMs;
    now += waited;
    fail(1);
    return waited;
  });
  expect(waits).toEqual([1_000, 2_000, 4_000, 4_000]);
});

it('is not opened any longer by calls that began before it opened', () => {
  fail(5);
  now = 500;
  expect(breaker.failed()).toBe(false);
  expect(breaker.restMs).toBe(500);
});

it('tries again at once where the call that tried it out says nothing', () => {
  fail(5);
  now = 1_000;
  breaker.entered();
  breaker.leftOpen();
  expect(breaker.allows).toBe(true);
});
