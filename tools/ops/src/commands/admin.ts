// admin
import type { Command } from 'commander';
import { UsersServiceService } from '@souk/proto/identity/v1';
import { newPassword, PASSWORD_VARIABLE } from '../password.ts';
import type { Act, Work } from '../work.ts';

interface CreateOptions {
  readonly email: string;
  readonly passwordFile?: string;
}

export function addAdminCommands(program: Command, act: Act): void {
  program
    .command('admin')
    .description('who administers the shop')
    .command('create')
    .description('make the first administrator; further ones are given the role by an administrator')
    .requiredOption('--email <email>', 'address to log in with')
    .option(
      '--password-file <file>',
      `file whose first line is the password, - for standard input; else ${PASSWORD_VARIABLE}, else it is asked for`,
    )
    .action(act(createAdmin));
}

function createAdmin({ email, passwordFile }: CreateOptions): Work {
  return async ({ services, output }) => {
    const password = await newPassword(passwordFile, process.env);
    const { user } = await services.ask('identity', UsersServiceService, (client) =>
      client.createFirstAdmin({ email, password }),
    );
    output.result(user, () => `${email} is an administrator, and logs in with that password.`);
    return true;
  };
}
