// login, logout, register
import type { Command } from 'commander';
import { action, type Context } from '../context.ts';
import { ProblemError } from '../exit-codes.ts';
import { askPassword } from '../password.ts';
import type { Login } from '../state.ts';
import { plain } from '../text.ts';

interface LoginOptions {
  email: string;
  password?: string;
}

export function addAccountCommands(program: Command): void {
  program
    .command('login')
    .description('log in; later commands act as this account')
    .requiredOption('--email <email>', 'address of the account')
    .option('--password <password>', 'its password; asked for on a terminal')
    .action(action(login));
  program
    .command('register')
    .description('make a customer account and log in')
    .requiredOption('--email <email>', 'address to log in with')
    .requiredOption('--name <name>', 'name to greet the customer with')
    .option('--password <password>', 'at least 10 characters; asked for on a terminal')
    .action(action(register));
  program.command('logout').description('end the session').action(action(logout));
}

async function login(context: Context, { email, password }: LoginOptions): Promise<void> {
  const credentials = { email, password: password ?? (await askPassword(email)) };
  show(context, await context.api.openSession('/v1/auth/login', credentials, true));
}

async function register(context: Context, options: LoginOptions & { name: string }): Promise<void> {
  const { email, name, password } = options;
  const account = { email, name, password: password ?? (await askPassword(email)) };
  show(context, await context.api.openSession('/v1/auth/register', account, true));
}

async function logout({ api, state, output }: Context): Promise<void> {
  const login = state.login(api.url);
  if (login) await endSession(api, login);
  state.setLogin(api.url, undefined);
  output.result({ loggedOut: login !== undefined }, () => (login ? 'Logged out.' : 'Nobody was logged in.'));
}

/** A session that has ended already is as good as one that ends now. */
async function endSession(api: Context['api'], { refreshToken }: Login): Promise<void> {
  try {
    await api.call('/v1/auth/logout', { method: 'POST', json: { refreshToken }, token: null });
  } catch (error) {
    if (!(error instanceof ProblemError) || error.problem.status >= 500) throw error;
  }
}

function show({ output }: Context, { email, roles }: Login): void {
  output.result({ email, roles }, () => `Logged in as ${plain(email)} (${roles.map(plain).join(', ')}).`);
}
