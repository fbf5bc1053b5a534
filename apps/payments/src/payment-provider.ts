import type { Money } from '@souk/money';
import type { ProviderView } from './domain/payment.js';

/** What a provider is asked with. */
export interface ProviderCall {
  readonly paymentId: string;
  readonly orderId: string;
  readonly amount: Money;
  /** Provider's identifier; empty until it is known. */
  readonly reference: string;
  readonly token: string;
  readonly email: string;
  /** The same key gets the same answer and moves money once. */
  readonly idempotencyKey: string;
}

/**
 * Nobody knows whether it happened: no answer, or none that says. With `keySpent` the key will never get another answer,
 * so the provider has to be asked for the state of the payment instead.
 */
export interface Unknown {
  readonly outcome: 'unknown';
  readonly detail: string;
  readonly keySpent: boolean;
}

export type ProviderAnswer = ProviderView | Unknown;

/** `absent`: the provider has never heard of it. */
export type Found = ProviderView | Unknown | { readonly outcome: 'absent' };

/**
 * Whoever moves the money. Every call may be repeated with its key; none throws for what the provider says or fails to
 * say. The answer is what the provider holds afterwards, which need not be what was asked for.
 */
export interface PaymentProvider {
  authorize(call: ProviderCall): Promise<ProviderAnswer>;
  capture(call: ProviderCall): Promise<ProviderAnswer>;
  void(call: ProviderCall): Promise<ProviderAnswer>;
  refund(call: ProviderCall): Promise<ProviderAnswer>;
  /** Present state; found by our payment id where the reference is not known. */
  find(call: Pick<ProviderCall, 'paymentId' | 'reference'>): Promise<Found>;
}
