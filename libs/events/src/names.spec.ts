import { serviceOf, streamName } from './names.js';

describe('names of events', () => {
  it('finds service and stream in the name of the message', () => {
    expect(serviceOf('souk.orders.v1.OrderConfirmed')).toBe('orders');
    expect(streamName('souk.orders.v1.OrderConfirmed')).toBe('ORDERS');
  });

  it.each(['OrderConfirmed', 'souk.orders.OrderConfirmed', 'souk.orders.v1.', 'souk.orders.v1.>', 'souk.Orders.v1.X'])(
    'refuses %p',
    (name) => expect(() => serviceOf(name)).toThrow('full name'),
  );
});
