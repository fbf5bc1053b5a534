/**
 * Types that turn a generated service definition into the shape of its handlers and of its client, so that neither is
 * written or generated twice. Unary calls and client streams; an incoming stream is an async iterable.
 */
export interface MethodDefinition {
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
  // Method syntax on purpose: parameters are compared bivariantly, so that every generated method fits.
  requestSerialize(value: never): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(value: never): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

/** A generated `...Service` constant: its methods by their lowerCamelCase names. */
export type ServiceDefinition = Readonly<Record<string, MethodDefinition>>;

type Message<M> = M extends { requestDeserialize: (bytes: Buffer) => infer T } ? T : never;
type RequestOf<M> = M extends { requestStream: true } ? AsyncIterable<Message<M>> : Message<M>;
type ResponseOf<M> = M extends { responseDeserialize: (bytes: Buffer) => infer T } ? T : never;

/** What a controller of the service implements: one method per RPC. */
export type Handlers<S> = { [K in keyof S]: (request: RequestOf<S[K]>) => Promise<ResponseOf<S[K]>> };

/** How one call differs from the client's defaults. */
export interface CallOptions {
  /** Give up after so many milliseconds; the caller's own deadline is kept where it is earlier. */
  readonly timeoutMs?: number;
}

/** A typed client of the service: one method per RPC. */
export type RpcClient<S> = {
  [K in keyof S]: (request: RequestOf<S[K]>, options?: CallOptions) => Promise<ResponseOf<S[K]>>;
} & { close(): void };

/** Full name of a service, for example `souk.orders.v1.OrdersService`. */
export function serviceName(definition: ServiceDefinition): string {
  const [method] = Object.values(definition);
  if (!method) throw new Error('A service needs at least one method.');
  return method.path.split('/')[1] ?? '';
}
