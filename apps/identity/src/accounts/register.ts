import type { Database } from '@souk/postgres';
import type { Background } from '../background.js';
import type { MailRequests } from '../mails/mail-requests.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type { Device } from '../sessions/device.js';
import { BY_PASSWORD } from '../sessions/methods.js';
import type { LoggedIn, OpenSession } from '../sessions/open-session.js';
import { checkRegistration, type Registration } from './account-rules.js';
import type { UsersStore } from './users.store.js';

/**
 * Makes a customer account and logs it in. Whether the address has an account already changes nothing here, neither the
 * answer nor the work: the new account carries the address without proof, and what the mail says is decided when it goes.
 */
export class Register {
  constructor(
    private readonly database: Database,
    private readonly users: UsersStore,
    private readonly hasher: PasswordHasher,
    private readonly openSession: OpenSession,
    private readonly mailRequests: MailRequests,
    private readonly background: Background,
  ) {}

  /** @throws DomainError PASSWORD_TOO_WEAK, INVALID_ARGUMENT */
  async execute(typed: Registration, device: Device): Promise<LoggedIn> {
    const { email, password, name } = checkRegistration(typed);
    const passwordHash = await this.hasher.hash(password);
    const mayMail = await this.mailRequests.allow(email);
    const loggedIn = await this.database.transaction(async (tx) => {
      const user = await this.users.insert(tx, { email, name, roles: ['customer'], passwordHash });
      if (mayMail) await this.mailRequests.want(tx, { kind: 'VERIFY_EMAIL', recipient: email, userId: user.userId });
      return this.openSession.execute(user, device, BY_PASSWORD, tx);
    });
    this.background.wake();
    return loggedIn;
  }
}
