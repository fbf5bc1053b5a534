// What a wanted mail says and to whom it goes, decided when it is sent and not when it is asked for: so asking takes the same
// work whether an address is known or not. Mails about an account go to the address that the account proved, as it is kept,
// and never to what somebody typed that is like it.
import type { Transaction } from '@souk/postgres';
import { emailKey } from '@souk/auth';
import type { Account, UsersStore } from '../accounts/users.store.js';
import type { ClaimedMail, MailKind } from './account-mails.store.js';
import { makeProof, type ProofPurpose } from './proofs.store.js';

/** A mail as it goes out. */
export interface Letter {
  readonly kind: MailKind;
  readonly recipient: string;
  readonly name: string;
  readonly link: string;
  readonly linkMinutes: number;
}

const VERIFY_MINUTES = 24 * 60;
const RESET_MINUTES = 60;

export class Letters {
  constructor(
    private readonly users: UsersStore,
    /** Address of the shop's front end, where the links lead. */
    private readonly shopUrl: string,
  ) {}

  /** What goes out; undefined where there is nothing to say to anybody. */
  async write(tx: Transaction, mail: ClaimedMail): Promise<Letter | undefined> {
    switch (mail.kind) {
      case 'VERIFY_EMAIL':
        return this.verification(tx, mail);
      case 'CONFIRM_EMAIL':
        return this.confirmation(tx, mail);
      case 'RESET_PASSWORD':
        return this.reset(tx, mail);
      default:
        return { kind: mail.kind, recipient: mail.recipient, name: mail.name, link: '', linkMinutes: 0 };
    }
  }

  private async verification(tx: Transaction, { recipient, userId }: ClaimedMail): Promise<Letter | undefined> {
    const owner = await this.users.findOwner(recipient, tx);
    if (owner) return owner.userId === userId ? undefined : this.accountExists(owner);
    const account = await this.users.find(userId, tx);
    if (!account || emailKey(account.email) !== emailKey(recipient)) return undefined;
    return this.withLink(tx, { kind: 'VERIFY_EMAIL', purpose: 'VERIFY_EMAIL', path: 'verify', email: recipient });
  }

  private async confirmation(tx: Transaction, { recipient, userId }: ClaimedMail): Promise<Letter | undefined> {
    const owner = await this.users.findOwner(recipient, tx);
    if (owner && owner.userId !== userId) return this.accountExists(owner);
    if (!(await this.users.find(userId, tx))) return undefined;
    const confirm = { kind: 'CONFIRM_EMAIL', purpose: 'CHANGE_EMAIL', path: 'confirm' } as const;
    return this.withLink(tx, { ...confirm, email: recipient, userId });
  }

  private async reset(tx: Transaction, { recipient }: ClaimedMail): Promise<Letter | undefined> {
    const owner = await this.users.findOwner(recipient, tx);
    if (!owner) return undefined;
    const { email, userId, name } = owner;
    const reset = { kind: 'RESET_PASSWORD', purpose: 'RESET_PASSWORD', path: 'reset' } as const;
    return this.withLink(tx, { ...reset, email, userId, name });
  }

  private async withLink(
    tx: Transaction,
    wanted: { kind: MailKind; purpose: ProofPurpose; path: string; email: string; userId?: string; name?: string },
  ): Promise<Letter> {
    const { kind, purpose, path, email, userId, name = '' } = wanted;
    const minutes = purpose === 'RESET_PASSWORD' ? RESET_MINUTES : VERIFY_MINUTES;
    const token = await makeProof(tx, { purpose, email, minutes, ...(userId && { userId }) });
    // After the `#`, which browsers send to nobody: no log and no referrer has it.
    return { kind, recipient: email, name, link: `${this.shopUrl}/${path}#${token}`, linkMinutes: minutes };
  }

  private accountExists({ email, name }: Account): Letter {
    return { kind: 'ACCOUNT_EXISTS', recipient: email, name, link: `${this.shopUrl}/forgot-password`, linkMinutes: 0 };
  }
}
