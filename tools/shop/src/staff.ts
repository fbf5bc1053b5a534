// Who acts where staff is needed: the account that is named, by options or the environment; else the login, if it is
// staff's; else the administrator of the Souk on this machine.
import type { Command } from 'commander';
import type { Context } from './context.ts';
import { CommandError, usageError } from './exit-codes.ts';
import type { Login } from './state.ts';

export interface AccountOptions {
  email?: string;
  password?: string;
}

/** Adds the options that name an account. */
export function withAccount(command: Command): Command {
  return command
    .option('--email <email>', 'account of an administrator')
    .option('--password <password>', 'its password');
}

/** What lets a call act as staff: a token, or nothing where the login does. */
export async function asStaff(context: Context, options: AccountOptions): Promise<{ token?: string }> {
  const token = await staffToken(context, options);
  return token ? { token } : {};
}

async function staffToken(context: Context, { email, password }: AccountOptions): Promise<string | undefined> {
  const { api, settings, state } = context;
  if (email !== undefined || password !== undefined) {
    if (!email || !password) throw usageError('--email and --password belong together.');
    return (await api.openSession('/v1/auth/login', { email, password }, false)).accessToken;
  }
  const login = state.login(api.url);
  if (!settings.admin && login && isStaff(login)) return undefined;
  const admin = settings.admin ?? settings.localAdmin;
  if (admin) return (await api.openSession('/v1/auth/login', admin, false)).accessToken;
  throw new CommandError(
    'This needs an administrator: give --email and --password, set SOUK_ADMIN_EMAIL and SOUK_ADMIN_PASSWORD, or log in as one.',
  );
}

function isStaff({ roles }: Login): boolean {
  return roles.includes('staff') || roles.includes('admin');
}
