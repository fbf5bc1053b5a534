/**
 * A payment provider in memory, with the rules of the real one: a key moves money once, an authorisation is captured up to
 * its amount, captured money is refunded once. Its weather decides what becomes of each call.
 */
import { randomUUID } from 'node:crypto';
import type { ProviderRefund, ProviderView } from '../src/domain/follow-provider.js';
import type { Capture, Payment, Refund } from '../src/domain/payment.js';
import type { Found, PaymentProvider, ProviderAnswer, ProviderCall, Unknown } from '../src/payment-provider.js';

/** `broken`: an error that is answered to the key ever after. */
export type Weather = 'fair' | 'lost before' | 'lost after' | 'refused' | 'broken';
export const WEATHER: readonly Weather[] = ['fair', 'lost before', 'lost after', 'refused', 'broken'];

interface Intent {
  readonly reference: string;
  readonly payment: Payment;
  status: ProviderView['outcome'];
  captured: bigint;
  refunds: ProviderRefund[];
}

const LOST: Unknown = { outcome: 'unknown', detail: 'no answer', keySpent: false };

export class ModelProvider implements PaymentProvider {
  readonly intents: Intent[] = [];
  /** How often each key moved money. */
  readonly moves = new Map<string, number>();
  weather: Weather[] = [];
  /** Happens while a call is under way. */
  meanwhile: (() => void) | undefined;
  private readonly answers = new Map<string, ProviderAnswer>();

  async authorize({ payment, idempotencyKey }: ProviderCall): Promise<ProviderAnswer> {
    const open = (status: Intent['status']) => () => {
      const intent: Intent = { reference: `pi_${this.intents.length}`, payment, status, captured: 0n, refunds: [] };
      this.intents.push(intent);
      return viewOf(intent);
    };
    return this.answer(idempotencyKey, open('authorized'), open('declined'));
  }

  async capture({ payment, idempotencyKey }: ProviderCall, { amount, final }: Capture): Promise<ProviderAnswer> {
    return this.change(payment, idempotencyKey, (intent) => this.take(intent, amount, final));
  }

  async void({ payment, idempotencyKey }: ProviderCall): Promise<ProviderAnswer> {
    return this.change(payment, idempotencyKey, (intent) => this.letGo(intent));
  }

  async release({ payment, idempotencyKey }: ProviderCall): Promise<ProviderAnswer> {
    return this.change(payment, idempotencyKey, (intent) => this.letGo(intent));
  }

  async refund(call: ProviderCall, { refundId, amount }: Refund): Promise<ProviderAnswer> {
    const { payment, idempotencyKey } = call;
    const answer = await this.change(payment, idempotencyKey, (intent) => this.giveBack(intent, amount, refundId));
    const isAnswered = answer.outcome !== 'unknown' && answer.outcome !== 'refused';
    return isAnswered ? viewOf(this.intentOf(payment)) : answer;
  }

  async sendBack(reference: string): Promise<'done'> {
    const intent = this.intents.find((it) => it.reference === reference);
    if (intent?.status === 'authorized') this.letGo(intent);
    if (intent) this.giveBack(intent, intent.captured - refundedOf(intent));
    return 'done';
  }

  async find(payment: Payment, reference = payment.providerReference): Promise<Found> {
    if (this.weather.shift() === 'lost before') return LOST;
    const known = (it: Intent) =>
      reference === '' ? it.payment.paymentId === payment.paymentId : it.reference === reference;
    const intent = this.intents.findLast(known);
    return intent ? viewOf(intent) : { outcome: 'absent' };
  }

  async findOthers(): Promise<ProviderView[]> {
    return [];
  }

  /** The intent that the dashboard shows; undefined before there is one. */
  get shown(): Intent | undefined {
    return this.intents[0];
  }

  take(intent: Intent, amount: bigint, final: boolean): boolean {
    if (intent.status !== 'authorized' || amount > intent.payment.amount.amount - intent.captured) return false;
    intent.captured += amount;
    if (final) intent.status = 'captured';
    return true;
  }

  letGo(intent: Intent): boolean {
    if (intent.status !== 'authorized') return false;
    intent.status = intent.captured > 0n ? 'captured' : 'voided';
    return true;
  }

  giveBack(intent: Intent, amount: bigint, refundId: string = randomUUID()): boolean {
    if (amount === 0n || amount > intent.captured - refundedOf(intent)) return false;
    const reference = `re_${intent.reference}_${intent.refunds.length}`;
    intent.refunds.push({ refundId, reference, amount, state: 'SUCCEEDED' });
    return true;
  }

  private change(payment: Payment, key: string, act: (intent: Intent) => boolean): Promise<ProviderAnswer> {
    const refuse = (): ProviderAnswer => {
      return { outcome: 'refused', detail: 'refused', view: viewOf(this.intentOf(payment)) };
    };
    return this.answer(key, () => (act(this.intentOf(payment)) ? viewOf(this.intentOf(payment)) : refuse()), refuse);
  }

  private async answer(key: string, act: () => ProviderAnswer, refuse: () => ProviderAnswer): Promise<ProviderAnswer> {
    const weather = this.weather.shift() ?? 'fair';
    this.meanwhile?.();
    if (weather === 'lost before') return LOST;
    const answer = this.answers.get(key) ?? this.first(key, weather, act, refuse);
    return weather === 'lost after' ? LOST : answer;
  }

  private first(
    key: string,
    weather: Weather,
    act: () => ProviderAnswer,
    refuse: () => ProviderAnswer,
  ): ProviderAnswer {
    if (weather === 'broken') {
      this.answers.set(key, { ...LOST, keySpent: true });
      return LOST;
    }
    const answer = weather === 'refused' ? refuse() : act();
    if (answer.outcome !== 'refused') this.moves.set(key, (this.moves.get(key) ?? 0) + 1);
    this.answers.set(key, answer);
    return answer;
  }

  private intentOf({ providerReference }: Payment): Intent {
    const intent = this.intents.find(({ reference }) => reference === providerReference);
    if (!intent) throw new Error(`There is no ${providerReference}.`);
    return intent;
  }
}

export function viewOf({ reference, payment, status, captured, refunds }: Intent): ProviderView {
  const { amount } = payment;
  return { outcome: status, reference, amount, capturedAmount: captured, refunds: [...refunds], code: status };
}

export function refundedOf({ refunds }: Intent): bigint {
  return refunds.reduce((sum, { amount }) => sum + amount, 0n);
}
