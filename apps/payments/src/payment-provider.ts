import type { ProviderView } from './domain/follow-provider.js';
import type { Capture, Payment, Refund } from './domain/payment.js';

/** What a provider is asked with. */
export interface ProviderCall {
  /** As it is before the call, with what is asked for on record. */
  readonly payment: Payment;
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

/** It did not happen and never will under that key; `view` is what the provider holds instead. */
export interface Refused {
  readonly outcome: 'refused';
  readonly detail: string;
  readonly view: ProviderView;
}

export type ProviderAnswer = ProviderView | Refused | Unknown;

/** `absent`: the provider has never heard of it. */
export type Found = ProviderView | Unknown | { readonly outcome: 'absent' };

/**
 * Whoever moves the money. Every call may be repeated with its key; none throws for what the provider says or fails to
 * say. The answer is what the provider holds afterwards, which need not be what was asked for.
 */
export interface PaymentProvider {
  authorize(call: ProviderCall): Promise<ProviderAnswer>;
  capture(call: ProviderCall, capture: Capture): Promise<ProviderAnswer>;
  /** Lets go an authorisation of which nothing was taken. */
  void(call: ProviderCall): Promise<ProviderAnswer>;
  /** Lets go what is left of an authorisation of which a part was taken. */
  release(call: ProviderCall): Promise<ProviderAnswer>;
  refund(call: ProviderCall, refund: Refund): Promise<ProviderAnswer>;
  /** Gives all of an intent back that no payment accounts for. */
  sendBack(reference: string, how: 'void' | 'refund', idempotencyKey: string): Promise<'done' | Unknown>;
  /** Present state of the payment, or of another intent; found by our payment id where the reference is not known. */
  find(payment: Payment, reference?: string): Promise<Found>;
  /** Intents of the same order that the payment does not go by. */
  findOthers(payment: Payment): Promise<ProviderView[]>;
}

/** An intent as the provider lists it: its refunds are a sum. */
export interface ListedIntent {
  readonly reference: string;
  /** Our identifier, which the provider was told; null where it was not, or not by us. */
  readonly paymentId: string | null;
  /** Undefined while the provider is still at it. */
  readonly view: ProviderView | undefined;
  readonly refundedAmount: bigint;
  /** Whether a bank took money back, or tried to. */
  readonly disputed: boolean;
  readonly createTime: Date;
}

/** What a provider keeps, to be compared with what is kept here. */
export interface ProviderBooks {
  /** Pages of what was made since then, newest first. */
  intentsSince(since: Date): AsyncIterable<ListedIntent[]>;
}
