// How events are named on the wire: subject = full message name, one stream per publishing service.

/** Stream of the dead letters of all consumers. */
export const DEAD_LETTERS = 'DEAD_LETTERS';

/** The service that publishes the type: `souk.orders.v1.OrderConfirmed` → `orders`. */
export function serviceOf(type: string): string {
  const service = /^souk\.([a-z][a-z0-9]*)\.v\d+\.[A-Z]\w*$/.exec(type)?.[1];
  if (!service) {
    throw new Error(`${type} is not the full name of an event, such as souk.orders.v1.OrderConfirmed.`);
  }
  return service;
}

/** The stream that holds the type: `souk.orders.v1.OrderConfirmed` → `ORDERS`. */
export function streamName(type: string): string {
  return serviceOf(type).toUpperCase();
}
