import type { WebhookWorker } from './webhook-worker.js';
import type { Notice, WebhooksStore } from './webhooks.store.js';

/** Tells a notice that the provider signed, and lately, from any other. */
export interface NoticeVerifier {
  /** @throws DomainError WEBHOOK_SIGNATURE_INVALID */
  verify(payload: Buffer, signature: string): Notice;
}

/** Stores a notice; it is acted on afterwards, so that the provider never waits for us. */
export class ReceiveWebhook {
  constructor(
    private readonly verifier: NoticeVerifier,
    private readonly store: WebhooksStore,
    private readonly worker: Pick<WebhookWorker, 'wake'>,
  ) {}

  async execute(payload: Buffer, signature: string): Promise<void> {
    const notice = this.verifier.verify(payload, signature);
    if (await this.store.insert(notice, payload.toString('utf8'))) this.worker.wake();
  }
}
