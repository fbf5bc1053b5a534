import { readFileSync } from 'node:fs';
import { ANY_TIME, confirmedOrder, newOrder, pendingOrder } from '../test/order-builder.js';
import { cancelOrder, fulfillOrder, placeOrder, rejectOrder, type OrderEvent } from './domain/order.js';
import { stockShort } from './domain/rejections.js';
import { toOutboxEvent } from './orders.events.js';

const short = stockShort([{ sku: 'LAMP-BRASS', requested: 1, available: 0 }]);
const facts: OrderEvent[] = [
  ...placeOrder(newOrder(), ANY_TIME).events,
  { kind: 'OrderConfirmed', order: confirmedOrder() },
  ...rejectOrder(pendingOrder(), short, [], ANY_TIME).events,
  ...cancelOrder(confirmedOrder(), ANY_TIME).events,
  ...fulfillOrder(confirmedOrder(), 'DHL 42', ANY_TIME).events,
];

it.each(facts)('publishes $kind as its consumers know it', (fact) => {
  const { type, aggregateId, data } = toOutboxEvent(fact);
  const fixture = readFileSync(`${__dirname}/../../../proto/fixtures/${type}.json`, 'utf8');
  expect(JSON.parse(JSON.stringify(data))).toEqual(JSON.parse(fixture));
  expect(aggregateId).toBe(fact.order.orderId);
});

it('never publishes what pays', () => {
  expect(JSON.stringify(facts.map(toOutboxEvent))).not.toContain('pm_card_visa');
});
