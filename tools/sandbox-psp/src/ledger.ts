/**
 * Everything the provider knows: intents, charges, refunds, disputes, events and answered idempotency keys, in memory and in a
 * journal. One `commit` is one line of the journal: all of its changes survive a crash, or none does. Nothing is ever
 * removed but notices that need no more sending, so the ledger can be compared with the books of whoever used it.
 */
import { join } from 'node:path';
import type { ErrorBody } from './stripe-error.ts';
import { Journal } from './journal.ts';

export type IntentStatus =
  | 'requires_payment_method'
  | 'requires_confirmation'
  | 'requires_action'
  | 'requires_capture'
  | 'succeeded'
  | 'canceled';

export interface PaymentIntent {
  id: string;
  object: 'payment_intent';
  amount: number;
  amount_capturable: number;
  amount_received: number;
  canceled_at: number | null;
  cancellation_reason: string | null;
  capture_method: 'automatic' | 'manual';
  client_secret: string;
  confirmation_method: 'automatic';
  created: number;
  currency: string;
  customer: null;
  description: string | null;
  last_payment_error: ErrorBody | null;
  latest_charge: string | null;
  livemode: false;
  metadata: Record<string, string>;
  next_action: { type: string } | null;
  payment_method: string | null;
  payment_method_types: string[];
  receipt_email: string | null;
  status: IntentStatus;
}

/** Whether a charge may be captured in parts. */
export type Multicapture = 'available' | 'unavailable';

export interface Charge {
  id: string;
  object: 'charge';
  amount: number;
  amount_captured: number;
  amount_refunded: number;
  captured: boolean;
  created: number;
  currency: string;
  /** Whether the customer's bank took money back, or tried to. */
  disputed: boolean;
  failure_code: string | null;
  failure_message: string | null;
  livemode: false;
  metadata: Record<string, string>;
  paid: boolean;
  payment_intent: string;
  payment_method: string;
  payment_method_details: { type: 'card'; card: { capture_before: number; multicapture: { status: Multicapture } } };
  receipt_email: string | null;
  refunded: boolean;
  status: 'succeeded' | 'failed';
}

export interface Refund {
  id: string;
  object: 'refund';
  amount: number;
  charge: string;
  created: number;
  currency: string;
  metadata: Record<string, string>;
  payment_intent: string;
  reason: string | null;
  status: RefundStatus;
}

export type RefundStatus = 'pending' | 'succeeded' | 'failed';

export interface Dispute {
  id: string;
  object: 'dispute';
  amount: number;
  charge: string;
  created: number;
  currency: string;
  livemode: false;
  payment_intent: string;
  reason: string;
  status: 'needs_response' | 'won' | 'lost';
}

/** What an event tells of. */
export type Subject = PaymentIntent | Charge | Refund | Dispute;

export interface Event {
  id: string;
  object: 'event';
  api_version: string;
  created: number;
  data: { object: Subject };
  livemode: false;
  pending_webhooks: number;
  /** Null for what no call brought about. */
  request: { id: string | null; idempotency_key: string | null };
  type: string;
}

/** A notice on its way, until it is delivered or given up. */
export interface Delivery {
  id: string;
  event: string;
  state: 'pending' | 'delivered' | 'abandoned';
  tries: number;
  dueAt: number;
}

/** What was answered to an idempotency key. */
export interface AnsweredKey {
  id: string;
  fingerprint: string;
  status: number;
  body: unknown;
}

export interface Changes {
  intents?: PaymentIntent[];
  charges?: Charge[];
  refunds?: Refund[];
  disputes?: Dispute[];
  events?: Event[];
  deliveries?: Delivery[];
  keys?: AnsweredKey[];
  /** Idempotency keys whose magic fault has happened. */
  faulted?: { id: string }[];
}

const KINDS = ['intents', 'charges', 'refunds', 'disputes', 'events', 'deliveries', 'keys', 'faulted'] as const;

export class Ledger {
  readonly intents = new Map<string, PaymentIntent>();
  readonly charges = new Map<string, Charge>();
  readonly refunds = new Map<string, Refund>();
  readonly disputes = new Map<string, Dispute>();
  readonly events = new Map<string, Event>();
  readonly deliveries = new Map<string, Delivery>();
  readonly keys = new Map<string, AnsweredKey>();
  readonly faulted = new Map<string, { id: string }>();
  private journal!: Journal;

  static async open(dir: string): Promise<Ledger> {
    const ledger = new Ledger();
    ledger.journal = await Journal.open(join(dir, 'ledger.jsonl'), (record) => ledger.apply(record as Changes));
    return ledger;
  }

  /** Makes the changes; resolves once they are on the disk. A ledger that can't be written ends the process. */
  async commit(changes: Changes): Promise<void> {
    this.apply(changes);
    try {
      await this.journal.append(changes);
    } catch (error) {
      process.nextTick(() => {
        throw error;
      });
      throw error;
    }
  }

  close(): Promise<void> {
    return this.journal.close();
  }

  private apply(changes: Changes): void {
    for (const kind of KINDS) {
      const records: Map<string, { id: string }> = this[kind];
      for (const record of changes[kind] ?? []) records.set(record.id, record);
    }
    for (const { id, state } of changes.deliveries ?? []) if (state !== 'pending') this.deliveries.delete(id);
  }
}
