// A neighbour service for component specs: a real gRPC server with the given answers, so that the wire, the deadlines and the
// error mapping are the real ones. A DomainError that a handler throws arrives like that of a real service; an RPC without a handler is UNIMPLEMENTED.
import {
  Server,
  ServerCredentials,
  type Metadata,
  type ServiceDefinition as GrpcServiceDefinition,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { serviceName, toStatus, type Handlers, type ServiceDefinition } from '@souk/rpc';

/** What a fake answers; an RPC that is left out is UNIMPLEMENTED. */
export type FakeHandlers<S> = {
  [K in keyof Handlers<S>]?: (
    request: Parameters<Handlers<S>[K]>[0],
    metadata: Metadata,
  ) => Awaited<ReturnType<Handlers<S>[K]>> | ReturnType<Handlers<S>[K]>;
};

/** One call that a fake got. */
export interface FakeCall<S> {
  method: keyof S;
  request: unknown;
  metadata: Metadata;
}

/** A running fake. */
export interface FakeService<S> {
  /** host:port, for SOUK_<SERVICE>_ADDRESS. */
  address: string;
  /** All calls so far, in the order of their arrival. */
  calls: FakeCall<S>[];
  /** Replaces handlers from now on. */
  answer(handlers: FakeHandlers<S>): void;
  /** Stops at once, also with calls under way: like a service that dies. */
  close(): Promise<void>;
}

type AnyHandler = (request: unknown, metadata: Metadata) => unknown;

/** Starts a fake of the service on a free port, or on the given one. A client stream is handed over as an async iterable. */
export async function fakeService<S extends ServiceDefinition>(
  definition: S,
  handlers: FakeHandlers<S>,
  { port = 0 }: { port?: number } = {},
): Promise<FakeService<S>> {
  const current = { ...handlers };
  const calls: FakeCall<S>[] = [];
  const implementation: UntypedServiceImplementation = {};
  for (const method of Object.keys(handlers) as (keyof S & string)[]) {
    implementation[method] = answering(serviceName(definition), (call) => {
      const request = definition[method]?.requestStream ? call : call.request;
      calls.push({ method, request, metadata: call.metadata });
      return (current[method] as AnyHandler)(request, call.metadata);
    });
  }
  const server = new Server();
  server.addService(definition as unknown as GrpcServiceDefinition, implementation);
  const bound = await listen(server, port);
  return {
    address: `127.0.0.1:${bound}`,
    calls,
    answer: (changed) => void Object.assign(current, changed),
    close: async () => server.forceShutdown(),
  };
}

interface Call {
  request?: unknown;
  metadata: Metadata;
}

type Callback = (error: unknown, response?: unknown) => void;

function answering(service: string, handle: (call: Call) => unknown): UntypedHandleCall {
  const shortName = service.split('.').at(1) ?? service;
  const answer = (call: Call, callback: Callback) => {
    Promise.resolve(call)
      .then(handle)
      .then(
        (response) => callback(null, response),
        (error: unknown) => callback(toStatus(error, shortName)),
      );
  };
  return answer as UntypedHandleCall;
}

function listen(server: Server, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
}
