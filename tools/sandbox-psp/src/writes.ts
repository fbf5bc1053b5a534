/**
 * One write call of the API: idempotency key, faults, the operation itself, and the commit of all it changes in one
 * line of the journal, key and notices included. So a charge and the answer to its key are never told apart by a crash.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { canonical, text, type FormGroup } from './form.ts';
import { type Faults, type Fault, type Operation } from './faults.ts';
import { newId, nowInSeconds } from './identifiers.ts';
import { cancelIntent, captureIntent } from './captures.ts';
import type { AnsweredKey, Event, Ledger, PaymentIntent, Subject } from './ledger.ts';
import { confirmIntent, createIntent, type Outcome } from './payment-intents.ts';
import { magicFaultOf, type MagicFault } from './payment-methods.ts';
import { expanded } from './queries.ts';
import { createRefund } from './refunds.ts';
import { invalidRequest, StripeError } from './stripe-error.ts';
import type { Webhooks } from './webhooks.ts';

export interface WriteCall {
  operation: Operation;
  path: string;
  /** The intent that the path names; empty where it names none. */
  id: string;
  form: FormGroup;
  key: string | undefined;
  requestId: string;
}

/** What the caller is sent; `silence` stands for an answer that never comes. */
export type Answer = { status: number; body: unknown; replayed?: boolean } | 'silence';

/** Whether a fault of that kind hits the call. */
type Hit = (kind: Fault['kind']) => boolean;

const API_VERSION = '2026-10-28.endive';

export class Writes {
  private readonly inFlight = new Set<string>();
  private readonly ledger: Ledger;
  private readonly webhooks: Webhooks;
  private readonly faults: Faults;

  constructor(ledger: Ledger, webhooks: Webhooks, faults: Faults) {
    this.ledger = ledger;
    this.webhooks = webhooks;
    this.faults = faults;
  }

  async answer(call: WriteCall): Promise<Answer> {
    const { key } = call;
    if (key === undefined) return this.execute(call, '');
    const fingerprint = `POST ${call.path} ${canonical(call.form)}`;
    if (this.inFlight.has(key)) throw keyInUse(key);
    const known = this.ledger.keys.get(key);
    if (known) return replay(known, fingerprint);
    this.inFlight.add(key);
    try {
      return await this.execute(call, fingerprint);
    } finally {
      this.inFlight.delete(key);
    }
  }

  /** Commits what nobody called for: a bank or the time brought it about. */
  async happen({ object, changes, notices }: Outcome): Promise<Answer> {
    const events = notices.map((notice) => eventOf(notice, { requestId: null, key: undefined }));
    const deliveries = events.flatMap((event) => this.deliveriesOf(event, []));
    await this.ledger.commit({ ...changes, events, deliveries });
    this.webhooks.pump();
    return { status: 200, body: object };
  }

  private async execute(call: WriteCall, fingerprint: string): Promise<Answer> {
    const faults = this.faults.take(call.operation);
    const magic = this.magicFault(call);
    const hit: Hit = (kind) => magic?.kind === kind || faults.some((fault) => fault.kind === kind);
    if (hit('rate_limit')) throw rateLimited();
    if (magic && magic.kind !== 'delay') await this.ledger.commit({ faulted: [{ id: faultId(call) }] });
    if (hit('timeout_before_charge')) return 'silence';
    if (hit('error_500')) return this.failWith500(call, fingerprint, faults);
    const answer = await this.commit(call, fingerprint, hit, faults);
    await sleep(delayOf(magic, faults));
    return hit('timeout_after_charge') ? 'silence' : answer;
  }

  /** Magic payment methods go wrong once per idempotency key; a slow one is slow until it has answered. */
  private magicFault(call: WriteCall): MagicFault | undefined {
    const magic = magicFaultOf(text(call.form, 'payment_method'));
    return magic && this.ledger.faulted.has(faultId(call)) ? undefined : magic;
  }

  private async failWith500(call: WriteCall, fingerprint: string, faults: Fault[]): Promise<Answer> {
    const message = 'An unknown error occurred.';
    const body = { error: { type: 'api_error', message } };
    const stored = call.key !== undefined && faults.some((fault) => fault.stored);
    if (stored) await this.ledger.commit({ keys: [{ id: call.key ?? '', fingerprint, status: 500, body }] });
    return { status: 500, body };
  }

  private async commit(call: WriteCall, fingerprint: string, hit: Hit, faults: Fault[]): Promise<Answer> {
    const outcome = this.perform(call, hit);
    const answer = outcome.error
      ? { status: outcome.error.status, body: { error: outcome.error.body } }
      : { status: 200, body: this.answerOf(outcome, call.form) };
    const keys: AnsweredKey[] = call.key === undefined ? [] : [{ id: call.key, fingerprint, ...answer }];
    const events = outcome.notices.map((notice) => eventOf(notice, call));
    const deliveries = events.flatMap((event) => this.deliveriesOf(event, faults));
    await this.ledger.commit({ ...outcome.changes, keys, events, deliveries });
    this.webhooks.pump();
    return answer;
  }

  private answerOf({ object, changes }: Outcome, form: FormGroup): unknown {
    const changed = new Map(changes.charges?.map((charge) => [charge.id, charge]));
    const isIntent = (it: Subject): it is PaymentIntent => it.object === 'payment_intent';
    return isIntent(object) ? expanded({ charges: changed }, object, form) : object;
  }

  /** An error that is an outcome (the operation began) is kept under the key; one of validation is not. */
  private perform({ operation, id, form }: WriteCall, hit: Hit): Outcome {
    const declineAnyway = hit('decline');
    if (operation === 'create') return createIntent(form, declineAnyway);
    if (operation === 'confirm') return confirmIntent(this.ledger, id, form, declineAnyway);
    if (declineAnyway) throw invalidRequest(`The sandbox was told to refuse this ${operation}.`);
    switch (operation) {
      case 'capture':
        return captureIntent(this.ledger, id, form);
      case 'cancel':
        return cancelIntent(this.ledger, id, form);
      case 'refund':
        return createRefund(this.ledger, form, hit('pending_refund') ? 'pending' : 'succeeded');
    }
  }

  private deliveriesOf(event: Event, faults: Fault[]) {
    if (faults.some((fault) => fault.kind === 'lost_webhook')) return [];
    const late = faults.find((fault) => fault.kind === 'late_webhook');
    const copies = faults.some((fault) => fault.kind === 'duplicate_webhook') ? 2 : 1;
    const deliveries = Array.from({ length: copies }, () =>
      this.webhooks.newDelivery(event.id, late ? (late.delayMs ?? 5_000) : 0),
    );
    return deliveries.filter((delivery) => delivery !== undefined);
  }
}

function eventOf(
  { type, object }: Outcome['notices'][number],
  { requestId, key }: { requestId: string | null; key: string | undefined },
): Event {
  return {
    id: newId('evt'),
    object: 'event',
    api_version: API_VERSION,
    created: nowInSeconds(),
    data: { object },
    livemode: false,
    pending_webhooks: 1,
    request: { id: requestId, idempotency_key: key ?? null },
    type,
  };
}

function faultId(call: WriteCall): string {
  return call.key ?? `${call.path} ${call.requestId}`;
}

function delayOf(magic: MagicFault | undefined, faults: Fault[]): number {
  const delays = faults.filter((fault) => fault.kind === 'delay').map((fault) => fault.delayMs ?? 1_000);
  return Math.max(0, magic?.kind === 'delay' ? magic.delayMs : 0, ...delays);
}

function replay(known: AnsweredKey, fingerprint: string): Answer {
  if (known.fingerprint === fingerprint) return { status: known.status, body: known.body, replayed: true };
  throw new StripeError(400, {
    type: 'idempotency_error',
    message: `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${known.id}' if you meant to execute a different request.`,
  });
}

function keyInUse(key: string): StripeError {
  return new StripeError(409, {
    type: 'idempotency_error',
    code: 'idempotency_key_in_use',
    message: `There is currently another in-progress request using this Idempotent Key (that probably means you submitted twice, and the other request is still going through): ${key}. Please try again later.`,
  });
}

function rateLimited(): StripeError {
  return new StripeError(429, {
    type: 'invalid_request_error',
    code: 'rate_limit',
    message: 'Request rate limit exceeded. Learn more about rate limits here https://stripe.com/docs/rate-limits.',
  });
}
