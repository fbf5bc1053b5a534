import { routeOf } from './traced-http-client.js';

it.each([
  ['/v1/payment_intents', '/v1/payment_intents'],
  ['/v1/payment_intents/pi_3PQ?expand[]=latest_charge', '/v1/payment_intents/{id}'],
  ['/v1/payment_intents/pi_3PQ/capture', '/v1/payment_intents/{id}/capture'],
  ["/v1/payment_intents/search?query=metadata['order']:'x'", '/v1/payment_intents/search'],
])('knows the route of %s', (path, route) => {
  expect(routeOf(path)).toBe(route);
});
