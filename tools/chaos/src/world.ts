/** Everything that is known once a run has come to rest: what clients were told, and what each part of the system keeps. */
import type { Good } from './goods.ts';
import type { Operation } from './history.ts';
import type { Sharing } from './sharing.ts';

export interface World {
  readonly operations: readonly Operation[];
  readonly goods: readonly Good[];
  /** Orders as the database has them. */
  readonly orders: readonly StoredOrder[];
  /** States of all orders as the shop's API lists them to staff. */
  readonly listed: ReadonlyMap<string, string>;
  readonly stock: readonly StockRow[];
  readonly holds: readonly HoldRow[];
  readonly cartHolds: readonly CartHoldRow[];
  /** Oldest first. */
  readonly movements: readonly MovementRow[];
  /** Units that can be sold, as the catalogue's pages show them. */
  readonly shown: ReadonlyMap<string, number>;
  readonly payments: readonly PaymentRow[];
  readonly captures: readonly CaptureRow[];
  readonly refunds: readonly RefundRow[];
  readonly ledger: readonly LedgerRow[];
  readonly books: ProviderBooks;
  readonly services: readonly ServiceEvents[];
  readonly consumers: readonly ConsumerState[];
  readonly deadLetters: readonly string[];
  readonly checkRuns: readonly CheckRun[];
  readonly notifications: readonly NotificationRow[];
  /** Names of the files that mails became. */
  readonly mails: readonly string[];
  /** Processes that ended though nobody killed them. */
  readonly crashes: readonly string[];
  readonly sharings: readonly Sharing[];
}

export interface StoredOrder {
  readonly order_id: string;
  readonly number: string;
  readonly state: string;
  readonly saga_phase: string;
  readonly saga_error: string | null;
  /** Since when it waits for a person. */
  readonly saga_parked_at: Date | null;
  readonly lines: readonly { readonly sku: string; readonly quantity: number; readonly price: string }[];
  readonly total_amount: number;
  readonly refunded_amount: number;
  readonly currency: string;
  readonly payment_method: string;
  readonly cart_id: string | null;
  readonly rejection: { readonly reason: string } | null;
  readonly timeline: readonly { readonly kind: string; readonly time: string }[];
  readonly version: number;
  readonly claim_principal: string;
  readonly claim_key: string;
}

export interface StockRow {
  readonly sku: string;
  readonly on_hand: number;
  readonly held: number;
  readonly version: number;
}

export interface HoldRow {
  readonly order_id: string;
  readonly state: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

/** A hold that ended, whichever way, has no row. */
export interface CartHoldRow {
  readonly cart_id: string;
  /** Seconds since its time was over; negative before. */
  readonly overdue: number;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}

export interface MovementRow {
  readonly sku: string;
  readonly kind: string;
  readonly on_hand_delta: number;
  readonly held_delta: number;
  readonly cause: string;
}

export interface PaymentRow {
  readonly payment_id: string;
  readonly order_id: string;
  readonly state: string;
  readonly method: string;
  readonly amount: number;
  readonly currency: string;
  readonly captured_amount: number;
  readonly refunded_amount: number;
  readonly provider_reference: string;
  readonly version: number;
}

/** Each taking of money. */
export interface CaptureRow {
  readonly payment_id: string;
  readonly amount: number;
  readonly state: string;
}

/** Each giving back of money. */
export interface RefundRow extends CaptureRow {
  readonly refund_id: string;
  readonly provider_reference: string;
}

/** What the double entry has for a payment: money in, and money out. */
export interface LedgerRow {
  readonly payment_id: string;
  readonly debit: string;
  readonly credit: string;
  readonly amount: number;
}

/** What the sandbox provider keeps: `GET /_sandbox/ledger`. */
export interface ProviderBooks {
  readonly payment_intents: readonly {
    readonly id: string;
    readonly amount: number;
    readonly amount_received: number;
    readonly currency: string;
    readonly status: string;
    readonly metadata: Readonly<Record<string, string>>;
  }[];
  readonly charges: readonly {
    readonly id: string;
    readonly payment_intent: string;
    readonly status: string;
    readonly captured: boolean;
    readonly amount_captured: number;
    readonly amount_refunded: number;
  }[];
  readonly refunds: readonly {
    readonly id: string;
    readonly payment_intent: string;
    readonly amount: number;
    readonly status: string;
  }[];
  readonly undelivered_notices: number;
}

/** What a service says has happened, and what became of it. */
export interface ServiceEvents {
  readonly service: string;
  readonly outbox: readonly OutboxRow[];
  /** Events on the service's stream, in its order. */
  readonly stream: readonly StreamEvent[];
}

export interface OutboxRow {
  readonly id: string;
  readonly type: string;
  readonly aggregate_id: string;
  readonly data: string;
}

export interface StreamEvent {
  readonly seq: number;
  readonly id: string;
  readonly type: string;
  readonly aggregateId: string;
}

/** A consumer, and what its inbox has. */
export interface ConsumerState {
  readonly name: string;
  readonly stream: string;
  /** Type of the events that it reads. */
  readonly type: string;
  readonly handled: readonly string[];
}

export interface NotificationRow {
  readonly order_id: string;
  readonly kind: string;
  readonly state: string;
}

/** What one of the shop's own checks found. */
export interface CheckRun {
  readonly check: string;
  readonly compared: number;
  readonly error: string;
  readonly differences: readonly string[];
}
