import type { Logger } from '@souk/telemetry';
import { WorkerLoop, type WorkerLoopOptions } from './worker-loop.js';

const NEVER = 60_000;

describe('the worker loop', () => {
  const loops: WorkerLoop[] = [];
  let logged: string[];

  beforeEach(() => {
    jest.useFakeTimers();
    logged = [];
  });

  afterEach(async () => {
    await Promise.all(loops.splice(0).map((loop) => loop.stop()));
    jest.useRealTimers();
  });

  const sleep = (ms: number) => jest.advanceTimersByTimeAsync(ms);

  function startLoop(round: WorkerLoopOptions['round'], options: Partial<WorkerLoopOptions> = {}): WorkerLoop {
    const log = (...parts: unknown[]) => void logged.push(String(parts.at(-1)));
    const logger = { info: log, warn: log } as unknown as Logger;
    const loop = new WorkerLoop({ name: 'the worker', round, logger, pollMs: NEVER, ...options });
    loops.push(loop);
    loop.start();
    return loop;
  }

  /** A round that counts, says whether it was woken, and ends when it is told to. */
  function heldRound() {
    const begun: boolean[] = [];
    const ends: (() => void)[] = [];
    const round = async (woken: boolean) => {
      begun.push(woken);
      await new Promise<void>((resolve) => ends.push(resolve));
      return 'done' as const;
    };
    return { begun, round, end: async () => (ends.shift()?.(), sleep(5)) };
  }

  it('works at the start, when it is woken, and by itself after a while', async () => {
    const woken: boolean[] = [];
    const loop = startLoop(
      async (asked) => {
        woken.push(asked);
        return 'done';
      },
      { pollMs: 40 },
    );
    await sleep(5);
    loop.wake();
    await sleep(5);
    expect(woken).toEqual([true, true]);
    await sleep(45);
    expect(woken).toEqual([true, true, false]);
  });

  it('gives one further round for all wakes during a round, and never two at a time', async () => {
    const { begun, round, end } = heldRound();
    const loop = startLoop(round);
    await sleep(5);
    for (let wakes = 0; wakes < 100; wakes++) loop.wake();
    await sleep(5);
    expect(begun).toEqual([true]);
    await end();
    expect(begun).toEqual([true, true]);
    await end();
    expect(begun).toHaveLength(2);
  });

  it('gathers wakes before it works', async () => {
    let rounds = 0;
    const loop = startLoop(async () => (rounds++, 'done'), { gatherMs: 20 });
    for (let wakes = 0; wakes < 3; wakes++) {
      loop.wake();
      await sleep(2);
    }
    expect(rounds).toBe(0);
    await sleep(50);
    expect(rounds).toBe(1);
  });

  it('goes on at once while there is more, and looks again when it is told to', async () => {
    const outcomes = ['more', 'more', 10, 'done'] as const;
    let rounds = 0;
    startLoop(async () => outcomes[rounds++] ?? 'done');
    await sleep(5);
    expect(rounds).toBe(3);
    await sleep(50);
    expect(rounds).toBe(4);
  });

  it('rests after work whoever wakes it', async () => {
    let rounds = 0;
    const loop = startLoop(async () => (rounds++, 'more'), { restMs: () => 40 });
    await sleep(5);
    loop.wake();
    await sleep(5);
    expect(rounds).toBe(1);
    await sleep(60);
    expect(rounds).toBe(2);
  });

  it('tries again after a failure, logs the first one and the recovery, and is not hurried by wakes', async () => {
    let rounds = 0;
    const loop = startLoop(
      async () => {
        rounds += 1;
        if (rounds < 4) throw new Error('not yet');
        return 'done';
      },
      { retryMs: (failures) => failures * 10 },
    );
    await sleep(1);
    loop.wake();
    await sleep(1);
    expect(rounds).toBe(1);
    await sleep(150);
    expect(rounds).toBe(4);
    expect(logged).toEqual(['the worker failed; trying again until it succeeds', 'the worker goes on']);
  });

  it('stops in the midst of a pause at once', async () => {
    const loop = startLoop(async () => 'done');
    await sleep(5);
    await loop.stop();
    expect(jest.getTimerCount()).toBe(0);
  });

  it('finishes the round under way when it is stopped, and begins no other', async () => {
    const { begun, round, end } = heldRound();
    const loop = startLoop(round);
    await sleep(5);
    loop.wake();
    let stopped = false;
    const stopping = loop.stop().then(() => (stopped = true));
    await sleep(5);
    expect({ stopped, stopping: loop.stopping }).toEqual({ stopped: false, stopping: true });
    await end();
    await stopping;
    expect(begun).toHaveLength(1);
  });
});
