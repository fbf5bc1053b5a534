// What a command does once its words are understood.
import type { Command } from 'commander';
import type { Output } from './output.ts';
import type { Services } from './services.ts';

export interface Context {
  readonly services: Services;
  readonly output: Output;
}

/** Resolves with false where something is amiss: the exit code tells. */
export type Work = (context: Context) => Promise<boolean>;

/** Does the work; a test of the words alone does nothing. */
export type Perform = (work: Work, json: boolean) => Promise<void>;

/** Adapts a command to commander, which hands over arguments, then options, then the command. */
export function actor(perform: Perform) {
  return <Args extends unknown[]>(toWork: (...args: Args) => Work) =>
    async (...given: unknown[]): Promise<void> => {
      const { json } = (given.at(-1) as Command).optsWithGlobals<{ json?: boolean }>();
      await perform(toWork(...(given.slice(0, -1) as Args)), json ?? false);
    };
}

export type Act = ReturnType<typeof actor>;
