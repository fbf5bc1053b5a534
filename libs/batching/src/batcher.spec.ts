import { AsyncLocalStorage } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { DomainError } from '@souk/errors';
import { Batcher } from './batcher.js';

/** A batcher whose runs wait to be let go, and what they were given. */
function gated(options?: { maxBatch?: number; maxQueue?: number }) {
  const runs: number[][] = [];
  const gates: (() => void)[] = [];
  const run = async (items: number[]) => {
    runs.push(items);
    await new Promise<void>((resolve) => gates.push(resolve));
    return items.map((item) => item * 2);
  };
  return { runs, open: () => gates.shift()?.(), batcher: new Batcher(run, options) };
}

describe('Batcher', () => {
  it('runs a lone item at once', async () => {
    const batcher = new Batcher(async (items: number[]) => items.map((item) => item * 2));
    await expect(batcher.add(21)).resolves.toBe(42);
  });

  it('takes the items of one tick together', async () => {
    const runs: number[][] = [];
    const batcher = new Batcher(async (items: number[]) => (runs.push(items), items));
    await Promise.all([batcher.add(1), batcher.add(2), batcher.add(3)]);
    expect(runs).toEqual([[1, 2, 3]]);
  });

  it('decides what arrives during a run together in the next one', async () => {
    const { runs, open, batcher } = gated();
    const first = batcher.add(1);
    await turn();
    const rest = [batcher.add(2), batcher.add(3)];
    await turn();
    expect(runs).toEqual([[1]]);
    open();
    await expect(first).resolves.toBe(2);
    await turn();
    expect(runs).toEqual([[1], [2, 3]]);
    open();
    await expect(Promise.all(rest)).resolves.toEqual([4, 6]);
  });

  it('runs no more than maxBatch items at a time', async () => {
    const sizes: number[] = [];
    const batcher = new Batcher(async (items: number[]) => (sizes.push(items.length), items), { maxBatch: 2 });
    await Promise.all([1, 2, 3, 4, 5].map((item) => batcher.add(item)));
    expect(sizes).toEqual([2, 2, 1]);
  });

  it('refuses what exceeds the queue, and takes items again once there is room', async () => {
    const { open, batcher } = gated({ maxQueue: 1 });
    const first = batcher.add(1);
    await turn();
    const second = batcher.add(2);
    await expect(batcher.add(3)).rejects.toMatchObject({ kind: 'exhausted', reason: 'OVERLOADED' });
    open();
    await first;
    await turn();
    open();
    await expect(second).resolves.toBe(4);
  });

  it('lets a bad item fail alone', async () => {
    const batcher = new Batcher(async (items: number[]) => {
      if (items.includes(2)) {
        throw new Error('two is bad');
      }
      return items;
    });
    const results = await Promise.allSettled([batcher.add(1), batcher.add(2), batcher.add(3)]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await expect(batcher.add(4)).resolves.toBe(4);
  });

  it('does not ask once more for every item when what it needs is away', async () => {
    let runs = 0;
    const batcher = new Batcher<number, number>(async () => {
      runs += 1;
      throw new DomainError({ kind: 'unavailable', reason: 'DATABASE_UNAVAILABLE', message: 'Away.' });
    });
    const results = await Promise.allSettled([batcher.add(1), batcher.add(2)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(runs).toBe(1);
  });

  it('fails a run that does not answer every item', async () => {
    const batcher = new Batcher<number, number>(async () => []);
    await expect(batcher.add(1)).rejects.toMatchObject({ reason: 'BATCH_RESULTS_MISSING' });
  });

  it('runs in the context of the first item of the run, not of the one that started the batcher', async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const batcher = new Batcher(async (items: number[]) => (seen.push(storage.getStore()), await turn(), items));
    const first = storage.run('first', () => batcher.add(1));
    await turn();
    const second = storage.run('second', () => batcher.add(2));
    await Promise.all([first, second]);
    expect(seen).toEqual(['first', 'second']);
  });
});
