import { parseArgs } from 'node:util';
import { StartupError } from '@souk/infra';

/** Safeguards that can be taken away, to see that the run notices: each must make it fail. */
export const SWITCHES = ['claim', 'inbox', 'provider-key'] as const;
export type Switch = (typeof SWITCHES)[number];

export const HELP = `Starts a Souk of its own with two replicas of orders, inventory and payments, breaks it in every way while people buy,
heals it, and checks that nothing was oversold, charged twice or lost.

  npm run chaos -- [options]

  --minutes <n>           how long things break (1.5); every kind of fault comes at least once in 1.5
  --seed <n>              repeats the faults and the buyers' choices of another run; made up and printed otherwise
  --buyers <n>            how many buy at the same time (16)
  --switch-off <name>     take a safeguard away; the run must then fail: ${SWITCHES.join(', ')}
  --keep                  keep the data folder also when all is well
  --help                  show this text
`;

export interface Options {
  readonly minutes: number;
  readonly seed: string;
  readonly buyers: number;
  readonly switchOff: readonly Switch[];
  readonly keep: boolean;
  readonly help: boolean;
}

/** Reads the command line. @throws StartupError in a sentence for what it does not know */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    minutes: positive('minutes', values.minutes ?? '1.5'),
    seed: values.seed ?? String(Math.floor(Math.random() * 1_000_000)),
    buyers: positive('buyers', values.buyers ?? '16'),
    switchOff: (values['switch-off'] ?? []).map(knownSwitch),
    keep: values.keep ?? false,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  try {
    const options = {
      minutes: text,
      seed: text,
      buyers: text,
      'switch-off': { ...text, multiple: true },
      keep: flag,
      help: { ...flag, short: 'h' },
    } as const;
    return parseArgs({ args: [...args], options }).values;
  } catch (error) {
    throw new StartupError(`${(error as Error).message.split('. ')[0]}. Try: npm run chaos -- --help`);
  }
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  throw new StartupError(`--${name} ${text} is no positive number.`);
}

function knownSwitch(name: string): Switch {
  const known = SWITCHES.find((candidate) => candidate === name);
  if (!known) throw new StartupError(`There is no safeguard "${name}"; there are ${SWITCHES.join(', ')}.`);
  return known;
}
