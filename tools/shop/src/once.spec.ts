import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Call } from './api.ts';
import type { Context } from './context.ts';
import { ProblemError, unreachable } from './exit-codes.ts';
import { sendOnce, type Write } from './once.ts';
import { Output } from './output.ts';
import { State } from './state.ts';

const REFUND: Write = { method: 'POST', path: '/v1/orders/o-1/refunds', json: { amount: 500 } };
const lost = unreachable('http://souk');
const problem = (status: number, reason: string) => new ProblemError({ status, reason });

let dataDir: string;

beforeEach(() => (dataDir = mkdtempSync(join(tmpdir(), 'souk-shop-'))));
afterEach(() => rmSync(dataDir, { recursive: true }));

/** Sends one write once for each outcome: a status or an error. @returns the keys that were sent */
async function keysOf(outcomes: readonly (number | Error)[], write: Write = REFUND): Promise<unknown[]> {
  const keys: unknown[] = [];
  for (const outcome of outcomes) {
    const call = (_path: string, { headers }: Call) => {
      keys.push(headers?.['idempotency-key']);
      if (outcome instanceof Error) return Promise.reject(outcome);
      return Promise.resolve({ status: outcome, headers: new Headers() });
    };
    const output = Object.assign(new Output(false), { note: () => undefined });
    const context = { api: { url: 'http://souk', call }, state: new State(dataDir), output } as unknown as Context;
    await sendOnce(context, write).catch((error: unknown) => expect(error).toBe(outcome));
  }
  return keys;
}

it.each([
  [503, 'SERVICE_UNAVAILABLE'],
  [504, 'DEADLINE_EXCEEDED'],
  [500, 'INTERNAL'],
  [409, 'REQUEST_IN_PROGRESS'],
  [429, 'RATE_LIMITED'],
  [401, 'UNAUTHENTICATED'],
  [403, 'PERMISSION_DENIED'],
])('keeps the key of a lost answer through %i %s (F3, F11)', async (status, reason) => {
  const [first, ...later] = await keysOf([lost, problem(status, reason), lost, 201]);
  expect(first).toMatch(/^[0-9a-f-]{36}$/);
  expect(later).toEqual([first, first, first]);
});

it.each([201, problem(409, 'AMOUNT_TOO_HIGH'), problem(422, 'REQUEST_ID_REUSED')])(
  'takes a new key after an answer: %s',
  async (outcome) => {
    const [first, second] = await keysOf([outcome, 201]);
    expect(second).not.toBe(first);
  },
);

it('keeps the key while the write is under way', async () => {
  const [first, second, third, fourth] = await keysOf([202, 202, 201, 201]);
  expect([second, third]).toEqual([first, first]);
  expect(fourth).not.toBe(first);
});

it('has a key for each write, and for each person', async () => {
  const writes = [
    REFUND,
    { ...REFUND, json: { amount: 501 } },
    { ...REFUND, path: '/v1/orders/o-2/refunds' },
    { ...REFUND, as: 'noor@example.com' },
  ];
  const keys = [];
  for (const write of writes) keys.push(...(await keysOf([lost], write)));
  expect(new Set(keys).size).toBe(writes.length);
});
