// The command line: its commands, their help and how they end.
import { Command, CommanderError } from 'commander';
import { addAdminCommands } from './commands/admin.ts';
import { addAuditCommands } from './commands/audit.ts';
import { addCheckCommands } from './commands/checks.ts';
import { addErasureCommands } from './commands/erasures.ts';
import { addEventCommands } from './commands/events.ts';
import { addMendCommands } from './commands/mends.ts';
import { CommandError, EXIT } from './exit-codes.ts';
import { Output } from './output.ts';
import { Services } from './services.ts';
import { readSettings } from './settings.ts';
import { actor, type Perform } from './work.ts';

const HELP = `
Examples:
  npm run ops -- status
  npm run ops -- reconcile orders --check orders-holds
  npm run ops -- dead-letters inventory
  npm run ops -- dead-letters replay --consumer inventory-OrderConfirmed
  npm run ops -- events replay --consumer inventory-OrderConfirmed --from 2026-05-01T12:00:00Z
  npm run ops -- stream rebuild orders
  npm run ops -- audit verify

Environment:
  SOUK_SERVICE_TOKEN                        the secret that the services share, where TLS is off
  SOUK_TLS=on, SOUK_TLS_CA_FILE,            where it is on: the files of a certificate that names ops
  SOUK_TLS_CERT_FILE, SOUK_TLS_KEY_FILE
  SOUK_IDENTITY_ADDRESS ...                 host:port of each service
  SOUK_NEW_PASSWORD                         password of an administrator to make
  SOUK_DATA_DIR                             state of the Souk on this machine (.souk), where both are found otherwise

Exit codes:
  0  done, and all is well
  1  there are differences, dead letters, parked orders or broken chains; something failed; a service does not answer
  2  wrong usage
`;

export function opsProgram(perform: Perform): Command {
  const act = actor(perform);
  // Settings before commands: these inherit them.
  const program = new Command('npm run ops --')
    .description('What operators of a Souk see and mend.')
    .option('--json', 'print one JSON document on stdout')
    .addHelpText('after', HELP)
    .showHelpAfterError('(add --help for help)')
    .exitOverride();
  addCheckCommands(program, act);
  addEventCommands(program, act);
  addMendCommands(program, act);
  addAdminCommands(program, act);
  addAuditCommands(program, act);
  addErasureCommands(program, act);
  // So that --json may stand after the command too.
  for (const command of program.commands.flatMap((one) => [one, ...one.commands])) {
    if (command.commands.length === 0) command.option('--json', 'machine-readable output');
  }
  return program;
}

/** Runs a command line; resolves with the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.ok;
  const perform: Perform = async (work, json) => {
    const services = new Services(readSettings(process.env));
    if (!(await work({ services, output: new Output(json) }))) exitCode = EXIT.amiss;
  };
  try {
    await opsProgram(perform).parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (error) {
    // Commander has printed its message or the help.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (!(error instanceof CommandError)) throw error;
    new Output(false).error(error.message);
    return error.exitCode;
  }
}
