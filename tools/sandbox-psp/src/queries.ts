import { text, texts, type FormGroup } from './form.ts';
import type { Charge, Ledger, PaymentIntent } from './ledger.ts';
import { existing } from './payment-intents.ts';
import { invalidRequest, missing } from './stripe-error.ts';

const MAX_PAGE = 100;

export function readIntent(ledger: Ledger, id: string, query: FormGroup): unknown {
  return expanded(ledger, existing(ledger, id), query);
}

export function readRefund(ledger: Ledger, id: string): unknown {
  const refund = ledger.refunds.get(id);
  if (!refund) throw missing('refund', id, 'refund');
  return refund;
}

/** Newest first, in pages, as Stripe lists things. */
export function listIntents(ledger: Ledger, query: FormGroup): unknown {
  const created = texts(query, 'created');
  const [from, to] = [Number(created.gte ?? 0), Number(created.lte ?? Infinity)];
  const all = [...ledger.intents.values()].filter((intent) => intent.created >= from && intent.created <= to);
  return page(all, query, '/v1/payment_intents', (intent) => expanded(ledger, intent, query));
}

export function listRefunds(ledger: Ledger, query: FormGroup): unknown {
  return page([...ledger.refunds.values()].filter(concerns(query)), query, '/v1/refunds');
}

export function listDisputes(ledger: Ledger, query: FormGroup): unknown {
  return page([...ledger.disputes.values()].filter(concerns(query)), query, '/v1/disputes');
}

function concerns(query: FormGroup): (it: { payment_intent: string; charge: string }) => boolean {
  const [intent, charge] = [text(query, 'payment_intent'), text(query, 'charge')];
  return (it) => (!intent || it.payment_intent === intent) && (!charge || it.charge === charge);
}

const METADATA_CLAUSE = /^metadata\[(['"])([^'"]+)\1\]\s*:\s*(['"])([^'"]*)\3$/;

/** Search by one piece of metadata, the only clause that is understood. */
export function searchIntents(ledger: Ledger, query: FormGroup): unknown {
  const clause = METADATA_CLAUSE.exec(text(query, 'query') ?? '');
  if (!clause) throw invalidRequest("The sandbox understands only metadata['name']:'value'.", 'query');
  const [, , name = '', , value] = clause;
  const data = [...ledger.intents.values()].filter((intent) => intent.metadata[name] === value).reverse();
  return {
    object: 'search_result',
    url: '/v1/payment_intents/search',
    has_more: false,
    next_page: null,
    data: data.map((intent) => expanded(ledger, intent, query)),
  };
}

/** The intent with its charge in place of the charge's id, where `expand` asks for that. */
export function expanded(
  { charges }: Pick<Ledger, 'charges'>,
  intent: PaymentIntent,
  asked: FormGroup,
): PaymentIntent | (Omit<PaymentIntent, 'latest_charge'> & { latest_charge: Charge }) {
  const wanted = Object.values(texts(asked, 'expand'));
  const wantsCharge = wanted.includes('latest_charge') || wanted.includes('data.latest_charge');
  const charge = charges.get(intent.latest_charge ?? '');
  return wantsCharge && charge ? { ...intent, latest_charge: charge } : intent;
}

function page<T extends { id: string }>(
  all: T[],
  query: FormGroup,
  url: string,
  shown: (item: T) => unknown = (item) => item,
): unknown {
  const newestFirst = all.toReversed();
  const after = text(query, 'starting_after');
  const start = after ? newestFirst.findIndex((item) => item.id === after) + 1 : 0;
  const size = Math.min(Number(text(query, 'limit') ?? 10), MAX_PAGE);
  const data = newestFirst.slice(start, start + size);
  return { object: 'list', url, has_more: start + size < newestFirst.length, data: data.map(shown) };
}
