// What every command works with.
import type { Command } from 'commander';
import { Api } from './api.ts';
import { usageError } from './exit-codes.ts';
import { Output } from './output.ts';
import { readSettings, type Settings } from './settings.ts';
import { State } from './state.ts';

export interface Context {
  settings: Settings;
  state: State;
  api: Api;
  output: Output;
}

export function makeContext(json: boolean): Context {
  const settings = readSettings(process.env);
  const state = new State(settings.dataDir);
  return { settings, state, api: new Api(settings.url, state), output: new Output(json) };
}

/** Adapts a command's work to commander, which hands over arguments, then options, then the command. */
export function action<Args extends unknown[]>(work: (context: Context, ...args: Args) => Promise<void>) {
  return async (...given: unknown[]): Promise<void> => {
    const command = given.at(-1) as Command;
    const { json } = command.optsWithGlobals<{ json?: boolean }>();
    await work(makeContext(json ?? false), ...(given.slice(0, -1) as Args));
  };
}

/** A whole number in a range, as commander's parser of an option. */
export function integer(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^-?\d+$/.test(text) || value < min || value > max) {
      throw usageError(`"${text}" is not a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}
