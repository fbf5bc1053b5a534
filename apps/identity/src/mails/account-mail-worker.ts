// Hands mails over to notifications. Guarantees: what goes out is decided once and sealed before it leaves, so each try sends
// the same under the same identifier, and notifications takes it once. A mail that could not be handed over for a day is
// given up. Nothing that a mail says is logged.
import type { Database } from '@souk/postgres';
import type { NotificationsServiceService } from '@souk/proto/notifications/v1';
import type { RpcClient } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import { WorkerLoop, type Outcome } from '@souk/worker';
import type { KeyCipher } from '../key-cipher.js';
import type { AccountMailsStore, ClaimedMail } from './account-mails.store.js';
import type { Letter, Letters } from './letters.js';

export type NotificationsClient = Pick<RpcClient<typeof NotificationsServiceService>, 'sendAccountMail'>;

const BATCH = 10;
// Longer than a round takes: one call each, side by side, with their own deadline.
const LEASE_SECONDS = 60;
// Sum up to a day, after which links would have ended too.
const TRIES = 150;
const FIRST_PAUSE_SECONDS = 2;
const LONGEST_PAUSE_SECONDS = 600;

export class AccountMailWorker {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly database: Database,
    private readonly store: AccountMailsStore,
    private readonly letters: Letters,
    private readonly cipher: KeyCipher,
    private readonly notifications: NotificationsClient,
    private readonly logger: Logger,
  ) {
    this.loop = new WorkerLoop({ name: 'the worker for account mails', round: () => this.round(), logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  /** Says that there is a mail. Cheap. */
  wake(): void {
    this.loop.wake();
  }

  /** Finishes the round that is under way. */
  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  /** Hands over what is due, up to a batch. */
  async round(): Promise<Outcome> {
    const mails = await this.store.claim(BATCH, LEASE_SECONDS);
    await Promise.all(mails.map((mail) => this.handOver(mail)));
    return mails.length === BATCH ? 'more' : 'done';
  }

  private async handOver(mail: ClaimedMail): Promise<void> {
    const { mailId, kind, tries } = mail;
    try {
      const letter = mail.sealedLetter ? this.open(mailId, mail.sealedLetter) : await this.write(mail);
      if (letter) {
        await this.notifications.sendAccountMail({ ...letter, requestId: mailId, kind: `KIND_${letter.kind}` });
      }
      await this.store.delete(mailId);
    } catch (error) {
      const fields = { mailId, kind, tries, err: error };
      if (tries >= TRIES) {
        this.logger.error(fields, 'a mail about an account is given up');
        return this.store.delete(mailId);
      }
      this.logger.warn(fields, 'a mail about an account is tried again later');
      await this.store.putOff(mailId, Math.min(FIRST_PAUSE_SECONDS * 2 ** (tries - 1), LONGEST_PAUSE_SECONDS));
    }
  }

  /** Decides what goes out, and keeps it for further tries. */
  private write(mail: ClaimedMail): Promise<Letter | undefined> {
    return this.database.transaction(async (tx) => {
      const letter = await this.letters.write(tx, mail);
      if (!letter) return undefined;
      const sealed = this.cipher.seal(mail.mailId, Buffer.from(JSON.stringify(letter)));
      // Undoes the link that was just made: the other one is on its way.
      if (!(await this.store.keep(tx, mail.mailId, sealed))) throw new Error('Another worker has this mail.');
      return letter;
    });
  }

  private open(mailId: string, sealed: Buffer): Letter {
    const opened = this.cipher.open(mailId, sealed);
    if (!opened) throw new Error('SOUK_KEY_ENCRYPTION_KEY does not open the mail: it was stored under another one.');
    return JSON.parse(opened.toString()) as Letter;
  }
}
