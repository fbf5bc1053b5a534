import { readFileSync } from 'node:fs';
import { uuidv7 } from '@souk/postgres';
import type { Order } from '@souk/proto/orders/v1';
import { workspacePath } from '@souk/testing';
import type { QueuedMail } from '../src/notifications.store.js';
import { CONSUMED_EVENTS } from '../src/notifications.events.js';
import type { NotificationKind, OrderNews } from '../src/order-mail.js';

/** An event's data as its publisher's test emits it. */
export function fixture(name: string): unknown {
  return JSON.parse(readFileSync(workspacePath(`proto/fixtures/souk.orders.v1.${name}.json`), 'utf8'));
}

/** What the publisher's fixture of that kind says, with the given changes to its order. */
export function newsOfFixture(kind: NotificationKind, changes: Partial<Order> = {}): OrderNews {
  const event = CONSUMED_EVENTS.find((consumed) => consumed.kind === kind)!;
  const { order, tracking } = event.decode(fixture(event.name));
  return { kind, order: { ...order!, ...changes }, tracking: tracking ?? '' };
}

/** A mail about an order of its own. */
export function aMail(changes: Partial<QueuedMail> = {}): QueuedMail {
  const news = newsOfFixture('ORDER_CONFIRMED', { orderId: uuidv7() });
  const createdAt = new Date('2026-03-01T10:00:00.123Z');
  return { notificationId: uuidv7(), recipient: news.order.email, news, createdAt, tries: 1, ...changes };
}
