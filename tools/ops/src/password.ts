// Where a new password comes from: a file, the environment, or a terminal that does not show it. Never the command line, which
// other processes and the shell's history see.
import { readFileSync } from 'node:fs';
import { askSilently } from '@souk/shop/ask-silently';
import { CommandError, usageError } from './exit-codes.ts';

export const PASSWORD_VARIABLE = 'SOUK_NEW_PASSWORD';

/** @param file to read it from; `-` is standard input */
export async function newPassword(file: string | undefined, env: NodeJS.ProcessEnv): Promise<string> {
  if (file !== undefined) return readFirstLine(file);
  const given = env[PASSWORD_VARIABLE];
  if (given) return given;
  if (!process.stdin.isTTY) {
    throw usageError(`Give --password-file or ${PASSWORD_VARIABLE}; without a terminal nobody can be asked.`);
  }
  const password = await askSilently('New password: ');
  if ((await askSilently('Once more: ')) !== password)
    throw new CommandError('These are two passwords. Nothing was done.');
  return password;
}

function readFirstLine(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8').split(/\r?\n/, 1)[0] ?? '';
  } catch (error) {
    throw usageError(`${file} can't be read: ${(error as Error).message}`);
  }
}
