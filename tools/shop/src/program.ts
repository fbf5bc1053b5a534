// The command line: its commands, their help and how they end.
import { Command, CommanderError } from 'commander';
import { addAccountCommands } from './commands/account.ts';
import { addBuyCommand } from './commands/buy.ts';
import { addCatalogueCommands } from './commands/catalogue.ts';
import { addImportCommand } from './commands/import.ts';
import { addOrderCommands } from './commands/orders.ts';
import { addPaymentCommands } from './commands/payments.ts';
import { addStockCommand } from './commands/stock.ts';
import { CommandError, EXIT, ProblemError } from './exit-codes.ts';
import { Output } from './output.ts';

const HELP = `
Examples:
  npm run shop -- import apps/catalog/sample/products.csv
  npm run shop -- search lantern
  npm run shop -- stock LAN-BRS-S --set 25
  npm run shop -- buy LAN-BRS-S=2 --email noor@example.com
  npm run shop -- follow <order id>
  npm run shop -- refund <order id> --amount 5.00
  npm run --silent shop -- list --json | jq '.items[].slug'

Environment:
  SOUK_URL                                  where Souk is (default: the one that \`npm start\` runs)
  SOUK_DATA_DIR                             where logins and the keys of writes are kept (.souk)
  SOUK_ADMIN_EMAIL, SOUK_ADMIN_PASSWORD     account for what only staff may do
  NO_COLOR                                  no colours

Exit codes:
  0  done; an order that is not settled yet counts as done
  1  refused or failed: stock short, card declined, not allowed, not found
  2  wrong usage
  3  Souk does not answer
`;

export function shopProgram(): Command {
  // Settings before commands: these inherit them.
  const program = new Command('npm run shop --')
    .description('A shop on the command line, over the REST API of Souk.')
    .option('--json', 'print one JSON document per line on stdout, all else on stderr')
    .addHelpText('after', HELP)
    .showHelpAfterError('(add --help for help)')
    .exitOverride();
  addAccountCommands(program);
  addImportCommand(program);
  addCatalogueCommands(program);
  addBuyCommand(program);
  addOrderCommands(program);
  addPaymentCommands(program);
  addStockCommand(program);
  // So that --json may stand after the command too.
  for (const command of program.commands) command.option('--json', 'machine-readable output');
  return program;
}

/** Runs a command line; resolves with the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await shopProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? EXIT.ok);
  } catch (error) {
    return report(error, new Output(args.includes('--json')));
  }
}

function report(error: unknown, output: Output): number {
  // Commander has printed its message or the help.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof CommandError)) throw error;
  if (error instanceof ProblemError && output.json) output.result(error.problem, () => '');
  output.error(error.message);
  return error.exitCode;
}
