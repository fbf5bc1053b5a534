import { LoadGuard } from './load-guard.js';

const REFUSED = expect.objectContaining({ reason: 'OVERLOADED', metadata: { retry_after: '1' } });

let now = 0;
let guard: LoadGuard;

beforeEach(() => {
  now = 0;
  guard = new LoadGuard(() => now);
});

function enter(times: number): void {
  for (let call = 0; call < times; call++) guard.enter();
}

function lookAfter(ms: number): void {
  now += ms;
  guard.look();
}

function failure(): unknown {
  try {
    guard.enter();
    return undefined;
  } catch (error) {
    return error;
  }
}

it('takes a thousand calls at a time', () => {
  enter(1_000);
  expect(failure()).toEqual(REFUSED);
  guard.leave();
  expect(failure()).toBeUndefined();
});

it('refuses where the event loop stays late, and takes calls again once it is in time', () => {
  enter(16);
  lookAfter(500);
  expect(failure()).toBeUndefined();
  lookAfter(500);
  expect(failure()).toEqual(REFUSED);
  lookAfter(110);
  expect(failure()).toBeUndefined();
});

it('refuses nobody for being late where there is little to do', () => {
  enter(3);
  lookAfter(500);
  lookAfter(500);
  expect(failure()).toBeUndefined();
});
