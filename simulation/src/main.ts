/** `npm run simulate`: see HELP in options.ts. Ends with exit code 1 where a promise was broken. */
import { HELP, parseOptions, UsageError, type Options } from './options.ts';
import { simulateAll } from './seeds.ts';
import { simulate, type Outcome } from './simulation.ts';

/** Of the runs that break something so many are named. */
const MOST_NAMED = 10;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function runOne(seed: number, switchedOff: Options['switchedOff']): Promise<void> {
  const { trace, violation } = await simulate({ seed, switchedOff, isTraced: true });
  trace.forEach(say);
  if (violation) sayBroken(seed, violation, switchedOff);
  else say(`Seed ${seed}: every promise was kept.`);
}

async function runMany({ first, runs, switchedOff }: Options): Promise<void> {
  const began = performance.now();
  const found = await simulateAll({ first, runs, switchedOff });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  for (const { seed, ...violation } of found.broken.slice(0, MOST_NAMED)) sayBroken(seed, violation, switchedOff);
  const hours = (found.virtualMs / 3_600_000).toFixed(1);
  say(
    `${runs} runs with ${found.orders} orders: ${found.events} steps, ${hours} hours of their time, ${seconds} s of ours.`,
  );
  say(found.broken.length === 0 ? 'Every promise was kept.' : `${found.broken.length} runs broke a promise.`);
}

function sayBroken(seed: number, { invariant, message }: NonNullable<Outcome['violation']>, off?: string): void {
  process.exitCode = 1;
  say(`Seed ${seed} breaks ${invariant}: ${message}`);
  say(`  replay it by: npm run simulate -- --seed ${seed}${off === undefined ? '' : ` --switch-off ${off}`}`);
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) say(HELP);
  else if (options.seed === undefined) await runMany(options);
  else await runOne(options.seed, options.switchedOff);
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
