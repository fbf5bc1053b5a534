// Asks for a password on the terminal without showing it.
import { createInterface } from 'node:readline/promises';
import { Writable } from 'node:stream';
import { CommandError, EXIT, usageError } from './exit-codes.ts';

export async function askPassword(email: string): Promise<string> {
  if (!process.stdin.isTTY) throw usageError('Give --password; without a terminal nobody can be asked for it.');
  process.stderr.write(`Password of ${email}: `);
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const terminal = createInterface({ input: process.stdin, output: silent, terminal: true });
  const interrupted = new Promise<never>((_resolve, reject) => {
    terminal.on('SIGINT', () => reject(new CommandError('Interrupted.', EXIT.interrupted)));
  });
  try {
    return await Promise.race([terminal.question(''), interrupted]);
  } finally {
    terminal.close();
    process.stderr.write('\n');
  }
}
