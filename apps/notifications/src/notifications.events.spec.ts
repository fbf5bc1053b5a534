import { newsOfFixture } from '../test/news.js';
import { newsOf } from './notifications.events.js';

const { order } = newsOfFixture('ORDER_CONFIRMED');
const event = {
  id: 'e',
  type: 'souk.orders.v1.OrderConfirmed',
  aggregateId: order.orderId,
  time: new Date(),
  data: { order },
  replayed: false,
};

describe('what events give customers to read', () => {
  it('is their order', () => {
    expect(newsOf('ORDER_CONFIRMED', [event])).toEqual([{ kind: 'ORDER_CONFIRMED', order, tracking: '' }]);
  });

  it('is nothing where an event is played again', () => {
    expect(newsOf('ORDER_CONFIRMED', [{ ...event, replayed: true }])).toEqual([]);
  });

  it('is a refusal only where the customer was no longer there to see it', () => {
    const refused = (afterMs: number) => {
      const createTime = new Date('2026-03-01T10:00:00.000Z');
      const updateTime = new Date(createTime.getTime() + afterMs);
      return { ...event, data: { order: { ...order, createTime, updateTime } } };
    };
    expect(newsOf('ORDER_REJECTED', [refused(800)])).toEqual([]);
    expect(newsOf('ORDER_REJECTED', [refused(20_000)])).toHaveLength(1);
  });

  it('cannot be told without an order', () => {
    expect(() => newsOf('ORDER_CONFIRMED', [{ ...event, data: { order: undefined } }])).toThrow('has no order');
  });
});
