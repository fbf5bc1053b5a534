/**
 * The payment provider: the rules of the sandbox provider, on a network. It honours idempotency keys and keeps books; its
 * answers may never arrive, though the money moved; it may answer 500, also to the same key for ever; its search lags
 * behind; and its notices come late, twice, out of order or never.
 */
import Stripe from 'stripe';
import { captureIntent, cancelIntent } from '#sandbox-psp/captures';
import type { FormGroup, FormValue } from '#sandbox-psp/form';
import { newId } from '#sandbox-psp/identifiers';
import { Ledger, type PaymentIntent } from '#sandbox-psp/ledger';
import { createIntent, type Outcome } from '#sandbox-psp/payment-intents';
import { expanded, listDisputes, listRefunds, readIntent, searchIntents } from '#sandbox-psp/queries';
import { createRefund } from '#sandbox-psp/refunds';
import { StripeError } from '#sandbox-psp/stripe-error';
import type { Host } from '../host.ts';
import type { Network } from '../network.ts';
import type { Random } from '../random.ts';
import type { Scheduler } from '../scheduler.ts';
import type { Trace } from '../trace.ts';

/** How bad a provider is. */
export interface ProviderWeather {
  /** Share of calls that never get an answer; half of them were carried out. */
  readonly silent: number;
  /** Share of calls that are answered with 500 and not carried out. */
  readonly broken: number;
  /** Share of notices that are lost for ever, that come twice, and that come late. */
  readonly noticesLost: number;
  readonly noticesDoubled: number;
  readonly noticesLate: number;
}

const CALM: ProviderWeather = { silent: 0, broken: 0, noticesLost: 0, noticesDoubled: 0, noticesLate: 0 };

export interface ProviderOptions {
  readonly scheduler: Scheduler;
  readonly network: Network;
  readonly random: Random;
  readonly trace: Trace;
  readonly weather: ProviderWeather;
  /** Takes each call for a new one. */
  readonly ignoresKeys: boolean;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
  readonly replayed?: boolean;
}

interface Write {
  readonly name: string;
  readonly params: unknown;
  readonly key: string | undefined;
  readonly perform: (form: FormGroup) => Outcome;
}

const TIMEOUT_MS = 8_000;
const SLOWEST_MS = 400;
const SEARCH_LAG_MS = 60_000;
const LATEST_NOTICE_MS = 20_000;

export class Provider {
  readonly ledger = new Ledger();
  weather: ProviderWeather;
  /** Takes a notice to the shop; false where it was not taken. */
  deliver: (payload: string) => Promise<boolean> = async () => true;
  private readonly options: ProviderOptions;
  private readonly keys = new Map<string, { fingerprint: string; answer: Answer }>();
  private readonly searchable = new Map<string, number>();

  constructor(options: ProviderOptions) {
    this.options = options;
    this.weather = options.weather;
  }

  calmDown(): void {
    this.weather = CALM;
  }

  /** The part of Stripe's library that payments uses, in a process. */
  client(host: Host): Stripe {
    const { ledger } = this;
    const write = (call: Write) => this.write(host, call);
    const keyOf = (options?: Stripe.RequestOptions) => options?.idempotencyKey;
    const client = {
      paymentIntents: {
        create: (params: unknown, options?: Stripe.RequestOptions) =>
          write({ name: 'create', params, key: keyOf(options), perform: (form) => createIntent(form, false) }),
        capture: (id: string, params: unknown, options?: Stripe.RequestOptions) =>
          write({
            name: `capture ${id}`,
            params,
            key: keyOf(options),
            perform: (form) => captureIntent(ledger, id, form),
          }),
        cancel: (id: string, params: unknown, options?: Stripe.RequestOptions) =>
          write({
            name: `cancel ${id}`,
            params,
            key: keyOf(options),
            perform: (form) => cancelIntent(ledger, id, form),
          }),
        retrieve: (id: string, params: unknown) => this.read(host, () => readIntent(ledger, id, toForm(params))),
        search: (params: unknown) => this.list(host, () => this.search(toForm(params))),
      },
      disputes: { list: (params: unknown) => this.list(host, () => listDisputes(ledger, toForm(params))) },
      refunds: {
        list: (params: unknown) => this.list(host, () => listRefunds(ledger, toForm(params))),
        create: (params: unknown, options?: Stripe.RequestOptions) =>
          write({
            name: 'refund',
            params,
            key: keyOf(options),
            perform: (form) => createRefund(ledger, form, 'succeeded'),
          }),
      },
      // Signatures are another test's business.
      webhooks: { constructEvent: (payload: Buffer) => JSON.parse(payload.toString('utf8')) as Stripe.Event },
    };
    return client as unknown as Stripe;
  }

  private write(host: Host, call: Write): Promise<unknown> {
    const { random, trace, network } = this.options;
    network.onCall?.(host);
    const draw = random.next();
    const { silent, broken } = this.weather;
    if (draw < silent / 2) {
      trace.add(host, `${call.name} never reaches the provider`);
      return this.silence(host);
    }
    if (draw < silent) {
      trace.add(host, `the answer to ${call.name} will be lost`);
      this.arriveLater(() => this.settled(() => this.execute(call), ignore, ignore));
      return this.silence(host);
    }
    if (draw < silent + broken) return this.reply(host, () => this.failWith500(call, random.chance(0.3)));
    return this.reply(host, () => this.execute(call));
  }

  private read(host: Host, work: () => unknown): Promise<unknown> {
    if (this.options.random.chance(this.weather.silent)) return this.silence(host);
    return this.reply(host, () => ({ status: 200, body: work() }));
  }

  private execute(call: Write): Answer {
    const fingerprint = `${call.name} ${JSON.stringify(call.params)}`;
    const known = this.options.ignoresKeys ? undefined : this.keys.get(call.key ?? '');
    if (known && known.fingerprint !== fingerprint) throw otherParameters();
    if (known) return { ...known.answer, replayed: true };
    const answer = this.perform(call);
    if (call.key) this.keys.set(call.key, { fingerprint, answer });
    return answer;
  }

  private perform({ name, params, perform }: Write): Answer {
    const form = toForm(params);
    const { object, error, changes, notices } = perform(form);
    this.ledger['apply'](changes);
    for (const { id } of changes.intents ?? []) {
      if (!this.searchable.has(id)) this.searchable.set(id, this.options.scheduler.now + SEARCH_LAG_MS);
    }
    this.options.trace.add('provider', `${name}: ${statusOf(object)}`);
    for (const notice of notices) this.tell(notice);
    if (error) return { status: error.status, body: { error: error.body } };
    return { status: 200, body: isIntent(object) ? expanded(this.ledger, object, form) : object };
  }

  /** Stripe keeps a 500 that came once the work had begun, and gives it for the same key ever after. */
  private failWith500({ name, params, key }: Write, isKept: boolean): Answer {
    const known = this.keys.get(key ?? '');
    if (known) return { ...known.answer, replayed: true };
    const answer = { status: 500, body: { error: { type: 'api_error', message: 'An unknown error occurred.' } } };
    if (key && isKept) this.keys.set(key, { fingerprint: `${name} ${JSON.stringify(params)}`, answer });
    this.options.trace.add('provider', `answers ${name} with 500${isKept ? ', for good' : ''}`);
    return answer;
  }

  /** What is new is found only after a while. */
  private search(query: FormGroup): unknown {
    const { now } = this.options.scheduler;
    const { data, ...rest } = searchIntents(this.ledger, query) as { data: PaymentIntent[] };
    return { ...rest, data: data.filter(({ id }) => (this.searchable.get(id) ?? 0) <= now) };
  }

  /** A list as the library gives it: to be awaited, or to be gone through. */
  private list(host: Host, work: () => unknown): object {
    const answer = this.read(host, work) as Promise<{ data: unknown[] }>;
    const all = async () => (await answer).data;
    async function* each() {
      yield* await all();
    }
    // Whoever goes through it does not await it, and is told by the way.
    answer.catch(ignore);
    return Object.assign(answer, { autoPagingToArray: all, [Symbol.asyncIterator]: each });
  }

  private silence(host: Host): Promise<never> {
    return new Promise((_, reject) => {
      const fail = () => reject(new Stripe.errors.StripeConnectionError({ message: 'timeout', type: 'api_error' }));
      this.options.scheduler.after(TIMEOUT_MS, fail, host);
    });
  }

  private reply(host: Host, work: () => Answer): Promise<unknown> {
    const { scheduler, random } = this.options;
    return new Promise((resolve, reject) => {
      this.arriveLater(() => {
        const settle = this.settled(work, resolve, reject);
        scheduler.after(random.between(1, SLOWEST_MS), settle, host);
      });
    });
  }

  /** The request travels, whatever becomes of the process that sent it. */
  private arriveLater(work: () => void): void {
    const { scheduler, random } = this.options;
    scheduler.after(random.between(1, SLOWEST_MS), work);
  }

  private settled(work: () => Answer, resolve: (body: unknown) => void, reject: (error: Error) => void): () => void {
    try {
      const answer = work();
      return answer.status < 400 ? () => resolve(answer.body) : () => reject(toLibraryError(answer));
    } catch (error) {
      if (!(error instanceof StripeError)) throw error;
      return () => reject(toLibraryError({ status: error.status, body: { error: error.body } }));
    }
  }

  private tell({ type, object }: Outcome['notices'][number]): void {
    const { random } = this.options;
    const { noticesLost, noticesDoubled } = this.weather;
    if (random.chance(noticesLost)) return this.options.trace.add('provider', `the notice ${type} is lost`);
    const payload = JSON.stringify({ id: newId('evt'), object: 'event', type, data: { object } });
    const copies = random.chance(noticesDoubled) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) this.send(payload, type, 0);
  }

  private send(payload: string, type: string, tries: number): void {
    const { random, scheduler, trace } = this.options;
    const isLate = tries > 0 || random.chance(this.weather.noticesLate);
    const work = async () => {
      trace.add('provider', `sends the notice ${type}`);
      const isTaken = await this.deliver(payload);
      if (!isTaken && tries < 8) this.send(payload, type, tries + 1);
    };
    scheduler.after(random.between(1, isLate ? LATEST_NOTICE_MS : SLOWEST_MS), () => void work());
  }
}

function ignore(): void {
  // Nobody hears of it.
}

function toLibraryError({ status, body, replayed }: Answer): Error {
  const { error } = body as { error: Stripe.StripeRawError };
  const headers: Record<string, string> = replayed ? { 'idempotent-replayed': 'true' } : {};
  return Stripe.errors.StripeError.generate({ ...error, statusCode: status, headers });
}

function otherParameters(): StripeError {
  const message = 'Keys for idempotent requests can only be used with the same parameters.';
  return new StripeError(400, { type: 'idempotency_error', message });
}

/** The parameters as they cross the wire: text, in groups. */
function toForm(params: unknown): FormGroup {
  const entries = Object.entries((params ?? {}) as Record<string, unknown>);
  const known = entries.filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(known.map(([name, value]) => [name, toFormValue(value)]));
}

function toFormValue(value: unknown): FormValue {
  return typeof value === 'object' ? toForm(value) : `${value as string | number | boolean}`;
}

function isIntent(object: unknown): object is PaymentIntent {
  return (object as { object?: string }).object === 'payment_intent';
}

function statusOf(object: unknown): string {
  const { id, status, amount } = object as { id: string; status: string; amount: number };
  return `${id} ${status} ${amount}`;
}
