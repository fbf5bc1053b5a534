/**
 * Typed clients. Every call carries a deadline, at most the rest of the caller's own; the person's token, the request
 * id and the trace travel along; errors arrive as DomainErrors. Calls are spread over all addresses the name resolves
 * to. A call that never reached its service is tried again where it is safe: reads always, writes where the client
 * says they are idempotent.
 */
import { Metadata, type ChannelOptions, type Client, type ServiceError } from '@grpc/grpc-js';
import { callContext, type CallContext } from '@souk/telemetry';
import type { TlsFiles } from './certificates.js';
import { Channel } from './channel.js';
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
const READS = /^(get|list|batchGet)/;

export interface RpcClientOptions<S> {
  /** `host:port`; a name with several addresses is balanced round robin. */
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
  const channel = new Channel({ address, service, caller, ...(tls && { tls }) }, channelOptions(definition, options));
  const call = (method: MethodDefinition) => (request: unknown, callOptions?: CallOptions) =>
    method.requestStream
      ? channel.use((client) =>
          sendStream(client, service, method, request as AsyncIterable<unknown>, options, callOptions),
        )
      : channel.use((client) => sendOne(client, service, method, request, options, callOptions));
  const methods = Object.entries(definition).map(([name, method]) => [name, call(method)] as const);
  const close = () => channel.close();
  const client = { ...Object.fromEntries(methods), close };
  // Nest ends providers that have this method; a client needs no other care.
  Object.defineProperty(client, 'onApplicationShutdown', { value: close });
  return client as unknown as RpcClient<S>;
}

function sendOne(
  client: Client,
  service: string,
  method: MethodDefinition,
  request: unknown,
  options: RpcClientOptions<never>,
  callOptions?: CallOptions,
): Promise<unknown> {
  const context = callContext();
  const observed = observeClient(method.path);
  return new Promise((resolve, reject) => {
    client.makeUnaryRequest(
      method.path,
      method.requestSerialize as (value: unknown) => Buffer,
      method.responseDeserialize,
      request,
      outgoingMetadata(options, context, observed),
      { deadline: deadline(options, context, callOptions) },
      settle(service, resolve, reject, observed),
    );
  });
}

/** Sends a stream of messages no faster than the other side takes them. */
async function sendStream(
  client: Client,
  service: string,
  method: MethodDefinition,
  requests: AsyncIterable<unknown>,
  options: RpcClientOptions<never>,
  callOptions?: CallOptions,
): Promise<unknown> {
  const context = callContext();
  const observed = observeClient(method.path);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const call = client.makeClientStreamRequest(
    method.path,
    method.requestSerialize as (value: unknown) => Buffer,
    method.responseDeserialize,
    outgoingMetadata(options, context, observed),
    { deadline: deadline(options, context, callOptions) },
    settle(service, resolve, reject, observed),
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

function settle(
  service: string,
  resolve: (value: unknown) => void,
  reject: (error: Error) => void,
  observed: ObservedCall,
) {
  return (error: ServiceError | null, response?: unknown) => {
    observed.ended(error?.code);
    if (error) reject(fromServiceError(error, service));
    else resolve(response);
  };
}

function outgoingMetadata(options: RpcClientOptions<never>, context: CallContext, observed: ObservedCall): Metadata {
  const metadata = new Metadata();
  if (!options.tls && options.serviceToken) {
    metadata.set(METADATA.caller, options.caller);
    metadata.set(METADATA.serviceToken, options.serviceToken);
  }
  metadata.set(METADATA.requestId, context.requestId);
  metadata.set(METADATA.traceparent, observed.traceparent ?? context.traceparent);
  if (context.userToken) metadata.set(METADATA.authorization, `Bearer ${context.userToken}`);
  return metadata;
}

function deadline(options: RpcClientOptions<never>, context: CallContext, callOptions?: CallOptions): Date {
  const own = Date.now() + (callOptions?.timeoutMs ?? options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
  const inherited = context.deadline?.getTime() ?? Infinity;
  return new Date(Math.min(own, inherited));
}

function channelOptions<S extends ServiceDefinition>(definition: S, options: RpcClientOptions<S>): ChannelOptions {
  const service = serviceName(definition);
  const retried = Object.entries(definition)
    .filter(([name]) => READS.test(name) || options.idempotent?.includes(name))
    .map(([, method]) => ({ service, method: method.path.split('/')[2] }));
  const retryPolicy = {
    maxAttempts: 5,
    initialBackoff: '0.2s',
    maxBackoff: '2s',
    backoffMultiplier: 2,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  return {
    'grpc.service_config': JSON.stringify({
      loadBalancingConfig: [{ round_robin: {} }],
      methodConfig: retried.length > 0 ? [{ name: retried, retryPolicy }] : [],
    }),
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 5_000,
  };
}
