import type { MailRequests } from '../mails/mail-requests.js';
import type { ConfirmPassword } from '../passwords/confirm-password.js';
import { checkEmail } from './account-rules.js';

/** Sends a link to the address that an account shall have; nothing changes until somebody opens it. */
export class RequestEmailChange {
  constructor(
    private readonly confirmPassword: ConfirmPassword,
    private readonly mailRequests: MailRequests,
  ) {}

  /** @throws DomainError WRONG_PASSWORD, TOO_MANY_ATTEMPTS, INVALID_ARGUMENT */
  async execute(userId: string, typed: string, password: string): Promise<void> {
    const email = checkEmail(typed);
    await this.confirmPassword.execute(userId, password);
    await this.mailRequests.send({ kind: 'CONFIRM_EMAIL', recipient: email, userId });
  }
}
