/**
 * Sends events to the subscriber, signed as Stripe signs them, with a fresh signature for each try. A notice is sent
 * until it is answered with 2xx or until it was tried often enough; what is on its way survives a restart. Notices are
 * neither in order nor sent only once, as with the real thing.
 */
import { createHmac } from 'node:crypto';
import { newId } from './identifiers.ts';
import type { Delivery, Ledger } from './ledger.ts';

const BACK_OFF_MS = [500, 1_000, 2_000, 5_000, 15_000, 60_000, 300_000];
const ANSWER_TIMEOUT_MS = 10_000;
const AT_ONCE = 8;

export interface WebhookOptions {
  /** Where notices go; without it none are sent. */
  url?: string;
  /** What notices are signed with. */
  secret: string;
}

export class Webhooks {
  private readonly ledger: Ledger;
  private readonly options: WebhookOptions;
  private readonly sending = new Set<string>();
  /** Those whose next pause is left out. */
  private readonly hurried = new Set<string>();
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(ledger: Ledger, options: WebhookOptions) {
    this.ledger = ledger;
    this.options = options;
  }

  /** A notice to be committed together with its cause; undefined where nobody subscribed. */
  newDelivery(event: string, delayMs = 0): Delivery | undefined {
    if (!this.options.url) return undefined;
    return { id: newId('dlv'), event, state: 'pending', tries: 0, dueAt: Date.now() + delayMs };
  }

  /** Sends what is due and comes back for what is not. */
  pump(): void {
    clearTimeout(this.timer);
    if (this.stopped || !this.options.url) return;
    const waiting = [...this.ledger.deliveries.values()].filter(
      (delivery) => delivery.state === 'pending' && !this.sending.has(delivery.id),
    );
    const due = waiting.filter((delivery) => delivery.dueAt <= Date.now()).slice(0, AT_ONCE - this.sending.size);
    for (const delivery of due) void this.send(delivery);
    const later = waiting.filter((delivery) => !due.includes(delivery)).map((delivery) => delivery.dueAt);
    if (later.length === 0 || this.sending.size >= AT_ONCE) return;
    this.timer = setTimeout(() => this.pump(), Math.max(0, Math.min(...later) - Date.now()));
    this.timer.unref();
  }

  /** Ends every pause: whatever waits is sent now, and what is being sent is, where that fails, sent again at once. */
  async sendNow(): Promise<void> {
    for (const id of this.sending) this.hurried.add(id);
    const waiting = [...this.ledger.deliveries.values()].filter(({ id }) => !this.sending.has(id));
    await this.ledger.commit({ deliveries: waiting.map((delivery) => ({ ...delivery, dueAt: Date.now() })) });
    this.pump();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private async send(delivery: Delivery): Promise<void> {
    this.sending.add(delivery.id);
    const accepted = await this.post(delivery);
    const after = afterTry(delivery, accepted);
    const isHurried = this.hurried.delete(delivery.id);
    const next = isHurried ? { ...after, dueAt: Date.now() } : after;
    if (!this.stopped) await this.ledger.commit({ deliveries: [next] });
    this.sending.delete(delivery.id);
    this.pump();
  }

  private async post(delivery: Delivery): Promise<boolean> {
    const payload = JSON.stringify(this.ledger.events.get(delivery.event));
    try {
      const response = await fetch(this.options.url ?? '', {
        method: 'POST',
        headers: { 'content-type': 'application/json; charset=utf-8', 'stripe-signature': this.sign(payload) },
        body: payload,
        signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      });
      await response.arrayBuffer();
      return response.ok;
    } catch {
      // Nobody listens, or no answer came in time: the notice is tried again.
      return false;
    }
  }

  private sign(payload: string): string {
    const timestamp = Math.floor(Date.now() / 1000);
    const signature = createHmac('sha256', this.options.secret).update(`${timestamp}.${payload}`).digest('hex');
    return `t=${timestamp},v1=${signature}`;
  }
}

function afterTry(delivery: Delivery, accepted: boolean): Delivery {
  const tries = delivery.tries + 1;
  if (accepted) return { ...delivery, tries, state: 'delivered' };
  const wait = BACK_OFF_MS[delivery.tries];
  if (wait === undefined) return { ...delivery, tries, state: 'abandoned' };
  return { ...delivery, tries, dueAt: Date.now() + wait };
}
