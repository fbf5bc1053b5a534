// How calls are observed, on either side: a span and a timing each, by method and status.
import { status } from '@grpc/grpc-js';
import { metrics, startSpan } from '@souk/telemetry';

const served = metrics.histogram('rpc_server_duration_seconds');
const called = metrics.histogram('rpc_client_duration_seconds');

export interface ObservedCall {
  /** Of the call's span; undefined where nobody looks at it. */
  readonly traceparent: string | undefined;
  /** @param code gRPC status; left out where all was well */
  ended(code?: status | null): void;
}

/** A call that was received. @param parent the caller's traceparent */
export function observeServer(path: string, parent: string | undefined): ObservedCall {
  return observe(path, served, startSpan({ name: path.slice(1), kind: 'server', parent, attributes: about(path) }));
}

/** A call that is about to be made. */
export function observeClient(path: string): ObservedCall {
  return observe(path, called, startSpan({ name: path.slice(1), kind: 'client', attributes: about(path) }));
}

function observe(path: string, durations: typeof served, span: ReturnType<typeof startSpan>): ObservedCall {
  const startedAt = performance.now();
  return {
    traceparent: span?.traceparent,
    ended: (code) => {
      const name = status[code ?? status.OK];
      durations.observe({ method: path.slice(1), code: name }, (performance.now() - startedAt) / 1_000);
      span?.set({ 'rpc.response.status_code': name });
      span?.end(code ? name : undefined);
    },
  };
}

function about(path: string) {
  return { 'rpc.system.name': 'grpc', 'rpc.method': path.slice(1) };
}
