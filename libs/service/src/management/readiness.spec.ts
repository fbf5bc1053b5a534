import { createLogger } from '@souk/telemetry';
import { Readiness, type Dependency } from './readiness.js';

const EVERY_MS = 1_000;

let answers: Record<string, () => Promise<boolean | undefined>>;
let changes: boolean[];
let readiness: Readiness;

beforeEach(() => {
  jest.useFakeTimers();
  answers = { database: async () => true, nats: async () => true };
  changes = [];
  const dependency = (name: string, isNeeded: boolean): Dependency => ({
    name,
    isNeeded,
    look: () => answers[name]?.() ?? Promise.resolve(true),
  });
  readiness = new Readiness({
    dependencies: [dependency('database', true), dependency('nats', false)],
    logger: createLogger('readiness-test'),
    onChange: (ready) => changes.push(ready),
    everyMs: EVERY_MS,
  });
  readiness.start();
});
afterEach(() => {
  readiness.drain();
  jest.useRealTimers();
});

const looks = (count: number) => jest.advanceTimersByTimeAsync(count * EVERY_MS);
const away = async () => Promise.reject(new Error('connection refused'));

it('is ready from the start', () => {
  expect(changes).toEqual([true]);
  expect(readiness.health()).toEqual({ ready: true, parts: { database: 'ok', nats: 'ok' } });
});

it('follows what it needs, after three looks, and back after two', async () => {
  answers['database'] = away;
  await looks(2);
  expect(readiness.health().ready).toBe(true);
  await looks(1);
  expect(readiness.health()).toEqual({ ready: false, parts: { database: 'away', nats: 'ok' } });
  answers['database'] = async () => true;
  await looks(1);
  expect(readiness.health().ready).toBe(false);
  await looks(1);
  expect(changes).toEqual([true, false, true]);
});

it('does not flap where a dependency comes and goes', async () => {
  let look = 0;
  answers['database'] = async () => (look++ % 2 === 0 ? away() : true);
  await looks(50);
  expect(changes).toEqual([true]);
});

it('takes a dependency that does not answer for away, and one that cannot tell for what it was', async () => {
  answers['database'] = async () => undefined;
  await looks(10);
  expect(changes).toEqual([true]);
  answers['database'] = () => new Promise(() => undefined);
  await looks(10);
  expect(changes).toEqual([true, false]);
});

it('stays ready without what it can do without, and says so', async () => {
  answers['nats'] = async () => false;
  await looks(3);
  expect(readiness.health()).toEqual({ ready: true, parts: { database: 'ok', nats: 'away' } });
});

it('is not ready any more once it drains, whatever its dependencies say', async () => {
  readiness.drain();
  await looks(10);
  expect(changes).toEqual([true, false]);
  expect(readiness.health().parts).toMatchObject({ process: 'stopping' });
});
