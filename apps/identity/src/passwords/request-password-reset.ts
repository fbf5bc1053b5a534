import { emailFault } from '../accounts/account-rules.js';
import { tidyAddress } from '@souk/auth';
import type { MailRequests } from '../mails/mail-requests.js';

/** Sends a link to a new password where somebody owns the address. Whether anybody does is found out later, with the mail. */
export class RequestPasswordReset {
  constructor(private readonly mailRequests: MailRequests) {}

  async execute(typed: string): Promise<void> {
    const recipient = tidyAddress(typed);
    if (!emailFault(recipient)) await this.mailRequests.send({ kind: 'RESET_PASSWORD', recipient });
  }
}
