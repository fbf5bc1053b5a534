import { randomUUID } from 'node:crypto';
import { claimOf, inFlight, tally, TestStock } from '../test/test-stock.js';
import { StockCorrections } from './stock-corrections.js';

let stock: TestStock;

beforeEach(async () => {
  stock = await TestStock.create();
});

afterEach(() => stock.close());

async function outcomeOf<T>(work: Promise<T>): Promise<T | Error> {
  return work.catch((error: unknown) => error as Error);
}

describe('a count', () => {
  it('opens a SKU that nobody knows', async () => {
    expect(await stock.count('NEW', 7)).toEqual({ sku: 'NEW', onHand: 7, held: 0, version: 1 });
    expect(await stock.levelsSaid('NEW')).toEqual([7]);
  });

  it.each(['', 'count-1'])('that is refused does not open the SKU (key "%s")', async (key) => {
    await expect(stock.count('NEW', 7, key, 3)).rejects.toMatchObject({ reason: 'VERSION_MISMATCH' });
    expect(await stock.stockOf('NEW')).toBeUndefined();
  });

  it('is done once per key, also when two replicas get it many times at once (F3, F5)', async () => {
    const other = new StockCorrections(stock.database, { wake: () => undefined });
    const request = { sku: 'A', onHand: 7 };
    const claim = claimOf('SetStock', 'count-1', request);
    const counts = Array.from({ length: 10 }, (_, n) => (n % 2 ? other : stock.corrections).count(request, claim));
    const answers = await Promise.all(counts);
    expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    await stock.count('A', 3, 'count-2');
    const late = await stock.corrections.count(request, claim);
    expect(late).toEqual({ answer: { sku: 'A', onHand: 7, held: 0, version: 1 }, replayed: true });
    expect(new Set(answers.map(({ answer }) => answer.version))).toEqual(new Set([1]));
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 3, version: 2 });
  });

  it('keeps its refusal, and its key to itself (F4)', async () => {
    await stock.open('A', 5);
    const mismatch = { reason: 'VERSION_MISMATCH', metadata: { version: '1' } };
    await expect(stock.count('A', 7, 'count-1', 9)).rejects.toMatchObject(mismatch);
    await stock.count('A', 6);
    await expect(stock.count('A', 7, 'count-1', 9)).rejects.toMatchObject(mismatch);
    await expect(stock.count('A', 8, 'count-1', 9)).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });
});

describe('an adjustment', () => {
  it('adds units and takes some off, and says so', async () => {
    await stock.open('A', 5);
    expect(await stock.adjust('A', 3)).toEqual({ sku: 'A', onHand: 8, held: 0, version: 2 });
    expect(await stock.adjust('A', -6)).toMatchObject({ onHand: 2, version: 3 });
    expect(await stock.levelsSaid('A')).toEqual([5, 8, 2]);
    const [last] = await stock.store.movements('A', { limit: 1 });
    expect(last).toMatchObject({ kind: 'ADJUSTED', on_hand_delta: -6, held_delta: 0, reason: 'found in the cellar' });
  });

  it('is of a SKU that is known', async () => {
    await expect(stock.adjust('UNKNOWN', 3)).rejects.toMatchObject({ reason: 'SKU_NOT_FOUND' });
  });

  it('never goes below what is held, by orders or by carts (F39)', async () => {
    await stock.open('A', 5);
    await stock.holdOne('A', 2);
    await stock.store.holdCart('c1', [{ sku: 'A', quantity: 1 }], 60_000);
    const below = { reason: 'STOCK_BELOW_HELD', metadata: { on_hand: '2', held: '3' } };
    await expect(stock.adjust('A', -3)).rejects.toMatchObject(below);
    await expect(stock.count('A', 2)).rejects.toMatchObject(below);
    expect(await stock.adjust('A', -2)).toMatchObject({ onHand: 3, held: 3 });
  });

  it('is applied once per key, however often it is asked for (F3)', async () => {
    await stock.open('A', 5);
    const asked = Array.from({ length: 8 }, () => stock.adjust('A', 3, 'adjust-1'));
    expect(new Set((await Promise.all(asked)).map(({ onHand }) => onHand))).toEqual(new Set([8]));
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 8, version: 2 });
    await expect(stock.adjust('A', 4, 'adjust-1')).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
  });

  it('is not applied again under a key whose answer was forgotten (F6)', async () => {
    await stock.open('A', 5);
    await stock.adjust('A', 3, 'adjust-1');
    await stock.forgetClaims();
    await expect(stock.adjust('A', 3, 'adjust-1')).rejects.toMatchObject({ reason: 'REQUEST_ID_REUSED' });
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 8 });
  });
});

describe('corrections that race holds', () => {
  it('are applied or refused, and never lost (F33, F39)', async () => {
    await stock.open('A', 100);
    const correct = (n: number) => (n % 2 ? stock.count('A', 20 + n) : stock.adjust('A', n % 3 ? 1 : -9));
    const corrections = Array.from({ length: 60 }, (_, n) => () => outcomeOf(correct(n)));
    const holds = Array.from(
      { length: 120 },
      (_, n) => () => stock.holdOne('A', 1, randomUUID(), stock.replicas[n % 2]),
    );
    const [corrected, held] = await Promise.all([inFlight(4, corrections), inFlight(16, holds)]);
    const refusals = corrected.filter((result) => result instanceof Error);
    refusals.forEach((error) => expect(error).toMatchObject({ reason: 'STOCK_BELOW_HELD' }));
    const after = (await stock.stockOf('A'))!;
    expect(after.held).toBe(tally(held)['HELD']);
    expect(after.version).toBe(1 + (60 - refusals.length) + after.held);
  });

  it('add up, though two replicas apply them at once (F33)', async () => {
    await stock.open('A', 0);
    const units = Array.from({ length: 100 }, (_, n) => (n % 5 === 0 ? 3 : 1));
    await inFlight(
      8,
      units.map((delta) => () => stock.adjust('A', delta)),
    );
    expect(await stock.stockOf('A')).toMatchObject({ onHand: 140, version: 101 });
  });
});
