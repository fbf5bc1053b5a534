/**
 * Typed clients. Every call carries a deadline, at most the rest of the caller's own; the person's token, the request
 * id and the trace travel along; errors arrive as DomainErrors. Calls are spread over all instances of the service. One whose
 * outcome is not known is made again where that is safe: reads always, writes where the client says they are idempotent.
 * One that did not reach its service, or that the service had no time for, is made again whatever it does. Both end with the
 * deadline, after four times, or where too many calls are being repeated.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { READS } from '@souk/auth';
import { callContext, type CallContext } from '@souk/telemetry';
import type { Instance, Visit } from './balancing/instance.js';
import { outcomeOf, type Outcome } from './balancing/outcome.js';
import { callsRepeated } from './balancing/pool-metrics.js';
import { sharedPool, type Pool } from './balancing/pool.js';
import type { TlsFiles } from './certificates.js';
import {
  serviceName,
  type CallOptions,
  type MethodDefinition,
  type RpcClient,
  type ServiceDefinition,
} from './definition.js';
import { fromServiceError } from './errors.js';
import { METADATA } from './metadata.js';
import { observeClient, type ObservedCall } from './observed-call.js';

const DEFAULT_TIMEOUT_MS = 5_000;
const MOST_ATTEMPTS = 4;
const FIRST_PAUSE_MS = 100;

export interface RpcClientOptions<S> {
  /** `host:port`, `static:host:port,host:port` or `dns:///name:port`: calls are shared among all addresses. */
  readonly address: string;
  /** Name of the calling service. */
  readonly caller: string;
  /** Secret that proves that the caller is a Souk service, where TLS is off; empty for a caller from outside, who proves nothing. */
  readonly serviceToken?: string | undefined;
  /** Turns TLS on: the certificate proves who calls, and the secret is not sent. */
  readonly tls?: TlsFiles | undefined;
  /** Name of the service at the address, which must be that in its certificate; by default that in the definition. */
  readonly service?: string;
  /** Longest a call may take unless it says otherwise; 5 s by default. */
  readonly timeoutMs?: number;
  /** Writes that may be tried again because their requests carry a key that makes them happen once. */
  readonly idempotent?: readonly (keyof S)[];
}

export function rpcClient<S extends ServiceDefinition>(definition: S, options: RpcClientOptions<S>): RpcClient<S> {
  const { address, caller, tls } = options;
  if (!tls && options.serviceToken === undefined)
    throw new Error(`A client of ${address} needs a certificate or the services' secret.`);
  const service = options.service ?? serviceName(definition).split('.')[1] ?? '';
  const { pool, release: close } = sharedPool({ address, service, caller, ...(tls && { tls }) });
  const call = (name: string, method: MethodDefinition) => {
    const isRepeatable = READS.test(name) || options.idempotent?.includes(name) === true;
    return (request: unknown, callOptions?: CallOptions) => {
      const outgoing: Outgoing = { method, options, context: callContext(), until: deadline(options, callOptions) };
      return method.requestStream
        ? sendStream(pool, outgoing, request as AsyncIterable<unknown>)
        : sendOne(pool, { ...outgoing, isRepeatable }, request);
    };
  };
  const methods = Object.entries(definition).map(([name, method]) => [name, call(name, method)] as const);
  const client = { ...Object.fromEntries(methods), close };
  // Nest ends providers that have this method; a client needs no other care.
  Object.defineProperty(client, 'onApplicationShutdown', { value: close });
  return client as unknown as RpcClient<S>;
}

/** One call, whatever its message. */
interface Outgoing {
  readonly method: MethodDefinition;
  readonly options: RpcClientOptions<never>;
  readonly context: CallContext;
  /** Its deadline. */
  readonly until: number;
}

/** A call of one message: made again at another instance where that is safe, and can still help. */
async function sendOne(
  pool: Pool,
  call: Outgoing & { readonly isRepeatable: boolean },
  request: unknown,
): Promise<unknown> {
  pool.budget.earn();
  const tried = new Set<Instance>();
  for (let attempt = 1; ; attempt++) {
    const visit = await pool.acquire(call.until - Date.now(), tried);
    const answer = await visitOnce(visit, call, request);
    if (!answer.error) return answer.response;
    const outcome = visit.takenBack ? 'lost' : outcomeOf(answer.error);
    tried.add(visit.instance);
    const pauseMs = attempt < MOST_ATTEMPTS ? pauseBefore(attempt, outcome, call.isRepeatable, pool, tried) : undefined;
    if (pauseMs === undefined || Date.now() + pauseMs >= call.until) throw fromServiceError(answer.error, pool.service);
    callsRepeated.inc({ service: pool.service, cause: outcome });
    if (pauseMs > 0) await sleep(pauseMs);
  }
}

/**
 * How long to wait before a call is made again; undefined where it is not.
 * @param attempt which has just failed
 */
function pauseBefore(
  attempt: number,
  outcome: Outcome,
  isRepeatable: boolean,
  pool: Pool,
  tried: ReadonlySet<Instance>,
): number | undefined {
  if (outcome === 'answered' || outcome === 'late') return undefined;
  // It was not begun, so that any call may go elsewhere; where it came from there is no place for it.
  if (outcome === 'refused') return pool.hasOther(tried) && pool.spendRetry() ? 0 : undefined;
  // It cost nobody anything. The next try waits for an instance, where that is worth while.
  if (outcome === 'not sent') return pool.maySoonServe ? 0 : undefined;
  if (!isRepeatable || !pool.spendRetry()) return undefined;
  return outcome === 'lost' && pool.hasOther(tried) ? 0 : Math.random() * FIRST_PAUSE_MS * 2 ** attempt;
}

type Answer =
  | { readonly error: ServiceError; readonly response?: undefined }
  | { readonly error: null; readonly response: unknown };

async function visitOnce(
  visit: Visit,
  { method, options, context, until, isRepeatable }: Outgoing & { readonly isRepeatable: boolean },
  request: unknown,
): Promise<Answer> {
  const observed = observeClient(method.path);
  const { promise, resolve } = Promise.withResolvers<Answer>();
  const settle = (error: ServiceError | null, response?: unknown) => {
    observed.ended(error?.code);
    visit.instance.leave(visit, error ? outcomeOf(error) : 'answered');
    resolve(error ? { error } : { error, response });
  };
  try {
    const call = visit.connection.client.makeUnaryRequest(
      method.path,
      method.requestSerialize as (value: unknown) => Buffer,
      method.responseDeserialize,
      request,
      outgoingMetadata(options, context, observed),
      { deadline: until },
      settle,
    );
    if (isRepeatable) visit.takeBack = () => call.cancel();
  } catch (error) {
    visit.instance.leave(visit, 'not sent');
    throw error;
  }
  return promise;
}

/** Sends a stream of messages no faster than the other side takes them. */
async function sendStream(
  pool: Pool,
  { method, options, context, until }: Outgoing,
  requests: AsyncIterable<unknown>,
): Promise<unknown> {
  const visit = await pool.acquire(until - Date.now());
  const observed = observeClient(method.path);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const settle = (error: ServiceError | null, response?: unknown) => {
    observed.ended(error?.code);
    visit.instance.leave(visit, error ? outcomeOf(error) : 'answered');
    if (error) reject(fromServiceError(error, pool.service));
    else resolve(response);
  };
  const call = visit.connection.client.makeClientStreamRequest(
    method.path,
    method.requestSerialize as (value: unknown) => Buffer,
    method.responseDeserialize,
    outgoingMetadata(options, context, observed),
    { deadline: until },
    settle,
  );
  const answered = promise.then(
    () => true,
    () => true,
  );
  try {
    for await (const request of requests) {
      if (call.write(request)) continue;
      const ended = await Promise.race([drained(call), answered]);
      if (ended) break;
    }
    call.end();
  } catch (error) {
    call.cancel();
    promise.catch(() => undefined);
    throw error;
  }
  return promise;
}

function drained(call: NodeJS.EventEmitter): Promise<false> {
  return new Promise((resolve) => call.once('drain', () => resolve(false)));
}

function outgoingMetadata(options: RpcClientOptions<never>, context: CallContext, observed: ObservedCall): Metadata {
  const metadata = new Metadata();
  if (!options.tls && options.serviceToken) {
    metadata.set(METADATA.caller, options.caller);
    metadata.set(METADATA.serviceToken, options.serviceToken);
  }
  metadata.set(METADATA.requestId, context.requestId);
  metadata.set(METADATA.traceparent, observed.traceparent ?? context.traceparent);
  if (context.source) metadata.set(METADATA.source, context.source);
  if (context.userToken) metadata.set(METADATA.authorization, `Bearer ${context.userToken}`);
  return metadata;
}

function deadline(options: RpcClientOptions<never>, callOptions?: CallOptions): number {
  const own = Date.now() + (callOptions?.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  return Math.min(own, callContext().deadline?.getTime() ?? Infinity);
}
