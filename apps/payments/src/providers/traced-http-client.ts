// The provider's HTTP calls, each with a span and a timing: by method and route, without ids, queries or bodies.
import Stripe from 'stripe';
import { errorType, metrics, startSpan } from '@souk/telemetry';

type HttpClient = ReturnType<typeof Stripe.createNodeHttpClient>;

const durations = metrics.histogram('payments_provider_duration_seconds');

/** Node's HTTP client, watched. */
export function tracedHttpClient(host: string): HttpClient {
  const client = Stripe.createNodeHttpClient();
  const makeRequest = client.makeRequest.bind(client);
  client.makeRequest = async (...request) => {
    const [, , path, method] = request;
    const route = `${method} ${routeOf(path)}`;
    const attributes = { 'http.request.method': method, 'server.address': host };
    const span = startSpan({ name: route, kind: 'client', attributes });
    const startedAt = performance.now();
    const observe = (status: string) => durations.observe({ route, status }, (performance.now() - startedAt) / 1_000);
    try {
      const response = await makeRequest(...request);
      const status = response.getStatusCode();
      observe(String(status));
      span?.set({ 'http.response.status_code': status });
      span?.end(status >= 400 ? String(status) : undefined);
      return response;
    } catch (error) {
      observe('none');
      span?.end(errorType(error));
      throw error;
    }
  };
  return client;
}

/** `/v1/payment_intents/pi_3PQ/capture?x=y` → `/v1/payment_intents/{id}/capture` */
export function routeOf(path: string): string {
  const [, version = '', resource = '', id, ...rest] = (path.split('?')[0] ?? '').split('/');
  const place = id === undefined || id === 'search' ? id : '{id}';
  return ['', version, resource, ...(place === undefined ? [] : [place]), ...rest].join('/');
}
