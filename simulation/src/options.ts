import { parseArgs } from 'node:util';
import { SWITCHES, type Switch } from './switches.ts';

export const HELP = `Runs the code of orders, inventory and payments over a simulated world, where processes die, messages are lost and
clocks are wrong, all by the seed; and checks that nothing was oversold, charged twice or lost.

  npm run simulate -- [options]

  --runs <n>              how many seeds (1000)
  --first <seed>          the first of them (1)
  --seed <seed>           run this seed alone, the same step by step, and show what happened
  --switch-off <name>     take a safeguard away; some runs must then fail: ${SWITCHES.join(', ')}
  --help                  show this text
`;

export interface Options {
  readonly first: number;
  readonly runs: number;
  /** Run alone, and shown. */
  readonly seed: number | undefined;
  readonly switchedOff: Switch | undefined;
  readonly help: boolean;
}

/** What is wrong with a command line, for whoever wrote it. */
export class UsageError extends Error {}

/** Reads the command line. @throws UsageError in a sentence for what it does not know */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    first: whole('first', values.first ?? '1', 0),
    runs: whole('runs', values.runs ?? '1000', 1),
    seed: values.seed === undefined ? undefined : whole('seed', values.seed, 0),
    switchedOff: values['switch-off'] === undefined ? undefined : knownSwitch(values['switch-off']),
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const help = { type: 'boolean', short: 'h' } as const;
  try {
    const options = { runs: text, first: text, seed: text, 'switch-off': text, help };
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new UsageError(`${(error as Error).message.split('. ')[0]}. Try: npm run simulate -- --help`);
  }
}

/** Each seed has a day of its own: later ones than this would lie beyond the years that a Date can tell. */
const LARGEST = 2_000_000;

function whole(name: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= LARGEST) return number;
  throw new UsageError(`--${name} ${text} is no whole number from ${least} to ${LARGEST}.`);
}

function knownSwitch(name: string): Switch {
  const known = SWITCHES.find((candidate) => candidate === name);
  if (!known) throw new UsageError(`There is no safeguard "${name}"; there are ${SWITCHES.join(', ')}.`);
  return known;
}
