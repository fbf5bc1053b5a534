import { setTimeout as sleep } from 'node:timers/promises';
import { Supervised, restartDelay, type Launched } from './supervised.ts';

function fakeProcess(pid: number): Launched & { die: (reason: string) => void } {
  const { promise, resolve } = Promise.withResolvers<string>();
  return { pid, ended: promise, die: resolve, stop: async () => resolve('SIGTERM') };
}

describe('a supervised process', () => {
  const said: string[] = [];
  const events = { spawned: () => undefined, say: (line: string) => void said.push(line) };

  beforeEach(() => void said.splice(0));

  it('is started again when it dies, and the death is told', async () => {
    const lives = [fakeProcess(1), fakeProcess(2)];
    let next = 0;
    const process = new Supervised('orders', async () => lives[next++]!, events);
    await process.start();
    lives[0]!.die('exit code 1');
    await sleep(restartDelay(1) + 50);
    expect(process.pid).toBe(2);
    expect(said).toEqual(['orders has ended (exit code 1); it is started again in 250 ms.']);
  });

  it('stays down when it was stopped, also while it waits for its next start', async () => {
    const first = fakeProcess(1);
    let starts = 0;
    const launch = async (): Promise<Launched> => {
      starts++;
      return first;
    };
    const process = new Supervised('orders', launch, events);
    await process.start();
    first.die('SIGKILL');
    await sleep(10);
    await process.stop();
    await sleep(restartDelay(1) + 50);
    expect(starts).toBe(1);
  });

  it('waits longer after each death in a row, up to a limit', () => {
    expect([1, 2, 3, 20].map(restartDelay)).toEqual([250, 500, 1000, 10_000]);
  });
});
