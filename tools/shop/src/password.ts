// Asks for a password on the terminal without showing it.
import { askSilently } from './ask-silently.ts';
import { usageError } from './exit-codes.ts';

export async function askPassword(email: string): Promise<string> {
  if (!process.stdin.isTTY) throw usageError('Give --password; without a terminal nobody can be asked for it.');
  return askSilently(`Password of ${email}: `);
}
