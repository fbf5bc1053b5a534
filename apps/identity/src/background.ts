import type { OutboxRelay } from '@souk/outbox';
import type { AccountMailWorker } from './mails/account-mail-worker.js';

/** What goes on after a commit: events are published, mails are handed over. Both would happen without a wake, later. */
export class Background {
  constructor(
    private readonly outbox: OutboxRelay,
    private readonly mails: AccountMailWorker,
  ) {}

  wake(): void {
    this.outbox.wake();
    this.mails.wake();
  }
}
