/**
 * Compares the last three days' payments with the provider's books, both ways: money that the provider holds and no
 * payment accounts for, payments that say something else than the provider, payments that it does not know. What has
 * not rested for two minutes is not judged; what differs is asked about once more by itself before it is told.
 */
import type { Check, Finding } from '@souk/operations';
import { differenceOf, equalHoldings, holdingsAt, holdingsOf, isEmpty } from '../domain/holdings.js';
import type { Payment } from '../domain/payment.js';
import type { ListedIntent, PaymentProvider, ProviderBooks } from '../payment-provider.js';
import type { PaymentsStore } from '../payments.store.js';
import type { ChecksStore } from './checks.store.js';
import { byHand, Findings, syncPayment } from './findings.js';

const LOOK_BACK_MS = 3 * 24 * 60 * 60 * 1000;
const RESTED_MS = 2 * 60 * 1000;

export interface ProviderCheckParts {
  readonly checks: ChecksStore;
  readonly payments: PaymentsStore;
  readonly provider: Pick<PaymentProvider, 'find'>;
  readonly books: ProviderBooks;
  readonly now: () => Date;
}

export function paymentsProviderCheck(parts: ProviderCheckParts): Check {
  return { name: 'payments-provider', run: () => new Comparison(parts).run() };
}

class Comparison {
  private readonly findings = new Findings();
  private readonly listed = new Set<string>();
  private readonly since: Date;

  constructor(private readonly parts: ProviderCheckParts) {
    this.since = new Date(parts.now().getTime() - LOOK_BACK_MS);
  }

  async run() {
    for await (const intents of this.parts.books.intentsSince(this.since)) {
      this.findings.count(intents.length);
      await this.compareListed(intents);
      if (this.findings.full) return this.findings.result;
    }
    for await (const payments of this.parts.checks.withIntentSince(this.since)) {
      const unlisted = payments.filter(({ providerReference }) => !this.listed.has(providerReference));
      this.findings.count(unlisted.length);
      for (const payment of unlisted) await this.confirm(payment);
      if (this.findings.full) break;
    }
    return this.findings.result;
  }

  private async compareListed(intents: ListedIntent[]): Promise<void> {
    const ids = intents.flatMap(({ paymentId }) => paymentId ?? []);
    const references = intents.map(({ reference }) => reference);
    const payments = await this.parts.checks.byIntents(ids, references);
    const byReference = new Map(payments.map((payment) => [payment.providerReference, payment]));
    const byId = new Map(payments.map((payment) => [payment.paymentId, payment]));
    for (const intent of intents) {
      this.listed.add(intent.reference);
      const payment = byReference.get(intent.reference) ?? byId.get(intent.paymentId ?? '');
      if (!this.hasRested(intent.createTime) || (payment && !this.hasRested(payment.updateTime))) continue;
      const stray = strayFinding(intent, payment);
      if (stray) this.findings.add(stray);
      else if (payment && isOwn(intent, payment) && mayDiffer(intent, payment)) await this.confirm(payment);
    }
  }

  /** Asks for both sides again: the payment may have moved since the provider listed it. */
  private async confirm({ orderId }: Payment): Promise<void> {
    const { payments, provider } = this.parts;
    const payment = await payments.get(orderId);
    if (!payment || !this.hasRested(payment.updateTime)) return;
    const found = await provider.find(payment);
    if (found.outcome === 'unknown') throw new Error(`The provider does not answer: ${found.detail}`);
    const finding = found.outcome === 'absent' ? notThere(payment) : differs(payment, differenceOf(payment, found));
    if (finding) this.findings.add(finding);
  }

  private hasRested(since: Date): boolean {
    return since.getTime() < this.parts.now().getTime() - RESTED_MS;
  }
}

function isOwn({ reference }: ListedIntent, { providerReference }: Payment): boolean {
  return providerReference === reference || providerReference === '';
}

/** Money that no payment accounts for; a payment that is over accounts for none. */
function strayFinding(intent: ListedIntent, payment: Payment | undefined): Finding | undefined {
  if (payment && isOwn(intent, payment) && payment.state !== 'VOIDED' && payment.state !== 'DECLINED') return undefined;
  const holdings = intent.view && { ...holdingsAt(intent.view), refunded: intent.refundedAmount };
  if (!holdings || isEmpty(holdings)) return undefined;
  const detail = 'The provider holds money that no payment accounts for.';
  const mend = payment ? syncPayment(payment.orderId) : byHand(intent.reference);
  return { subject: intent.reference, detail, mend };
}

/** By what the list says; a list sums up refunds that are under way too, so this is not the last word. */
function mayDiffer({ view, refundedAmount, disputed }: ListedIntent, payment: Payment): boolean {
  if (!view) return false;
  if (disputed !== payment.disputedAmount > 0n) return true;
  const there = { ...holdingsAt(view), refunded: refundedAmount };
  return !equalHoldings(holdingsOf(payment), there) || view.amount?.amount !== payment.amount.amount;
}

function notThere(payment: Payment): Finding | undefined {
  if (isEmpty(holdingsOf(payment)) && payment.capturedAmount === 0n) return undefined;
  const detail = `The provider does not know ${payment.providerReference}.`;
  return { subject: payment.orderId, detail, mend: byHand(payment.providerReference) };
}

function differs({ orderId }: Payment, detail: string | undefined): Finding | undefined {
  return detail ? { subject: orderId, detail, mend: syncPayment(orderId) } : undefined;
}
