import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const MAIN = join(import.meta.dirname, 'main.ts');

const run = (...args: string[]) => promisify(execFile)(process.execPath, [MAIN, ...args]);

describe('npm run simulate', () => {
  it('shows the same steps for the same seed, and others for another', async () => {
    const [once, again, other] = await Promise.all([run('--seed', '6'), run('--seed', '6'), run('--seed', '7')]);
    expect(once.stdout.split('\n').length).toBeGreaterThan(20);
    expect(again.stdout).toBe(once.stdout);
    expect(other.stdout).not.toBe(once.stdout);
  });

  it('ends a run that broke a promise with its seed and how to see it again', async () => {
    const failed = await run('--first', '1', '--runs', '5', '--switch-off', 'claim').catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 1 });
    const { stdout } = failed as { stdout: string };
    const [, seed, replay] = /Seed (\d+) breaks I5: .*\n {2}replay it by: npm run simulate -- (.*)/.exec(stdout) ?? [];
    expect(replay).toBe(`--seed ${seed} --switch-off claim`);
    const again = await run('--seed', String(seed), '--switch-off', 'claim').catch((error: unknown) => error);
    const { stdout: steps } = again as { stdout: string };
    expect(steps).toContain(`Seed ${seed} breaks I5: `);
    expect(steps.split('\n').length).toBeGreaterThan(20);
  });

  it.each([
    ['--seed', 'x', '--seed x is no whole number from 0 to'],
    ['--runs', '0', '--runs 0 is no whole number from 1 to'],
    ['--switch-off', 'luck', 'There is no safeguard "luck"; there are claim,'],
    ['--fast', '', "Unknown option '--fast'"],
  ])('refuses %s %s in a sentence', async (option, value, sentence) => {
    const failed = await run(option, ...(value === '' ? [] : [value])).catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: 2, stdout: '' });
    const { stderr } = failed as { stderr: string };
    expect(stderr).toContain(sentence);
    expect(stderr.trimEnd()).not.toContain('\n');
  });
});
