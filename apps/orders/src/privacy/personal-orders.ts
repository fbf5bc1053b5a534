/**
 * The personal data that orders keeps. Orders stay for as long as the law wants them, without the person; one that is under way
 * keeps who it is for until it is at rest. Carts go.
 */
import type { EventBus } from '@souk/events';
import { redactStreams } from '@souk/outbox';
import type { Database } from '@souk/postgres';
import { PersonalData, type ErasedPage, type ExportedPage, type Subject } from '@souk/privacy';
import { Order } from '@souk/proto/orders/v1';
import { toOrderMessage } from '../orders.messages.js';
import { toOrder, type OrderRow } from '../orders.rows.js';
import { isAtRest, redactOrderEvent } from './erased-order.js';
import type { PersonalOrdersStore } from './personal-orders.store.js';

const EXPORTED = 50;
const ERASED = 200;
const KEPT_BY_LAW = 'What was bought and paid is kept for as long as the law asks for, without the person.';

export class PersonalOrders extends PersonalData {
  constructor(
    private readonly store: PersonalOrdersStore,
    private readonly database: Database,
    private readonly bus: EventBus,
  ) {
    super();
  }

  async export(subject: Subject, after: string): Promise<ExportedPage> {
    const rows = await this.store.list({ subject, after, limit: EXPORTED });
    const carts = after ? [] : await this.store.carts(subject);
    return {
      records: [
        ...carts.map((cart) => ({ kind: 'cart', value: cart })),
        ...rows.map((row) => ({ kind: 'order', value: Order.toJSON(toOrderMessage(toOrder(row))) as object })),
      ],
      orderIds: rows.map((row) => row.order_id),
      nextPageToken: nextOf(rows, EXPORTED),
    };
  }

  async erase(subject: Subject, after: string): Promise<ErasedPage> {
    const carts = after ? 0 : await this.store.deleteCarts(subject);
    const rows = await this.store.erase({ subject, after, limit: ERASED });
    const erased = rows.filter(isAtRest);
    const aggregateIds = erased.map((row) => row.order_id);
    const since = new Date(Math.min(...erased.map((row) => row.created_at.getTime()), Date.now()));
    const redaction = { source: 'orders', aggregateIds, since, redact: redactOrderEvent };
    const events = await redactStreams({ database: this.database, bus: this.bus }, redaction);
    return {
      treatments: [
        { what: 'carts', action: 'REMOVED', count: carts },
        { what: 'orders', action: 'PSEUDONYMISED', count: erased.length, reason: KEPT_BY_LAW },
        { what: 'events and dead letters about orders', action: 'REMOVED', count: events },
      ],
      pending: rows.length - erased.length,
      orderIds: aggregateIds,
      nextPageToken: nextOf(rows, ERASED),
    };
  }
}

function nextOf(rows: readonly OrderRow[], limit: number): string {
  return rows.length < limit ? '' : (rows.at(-1)?.order_id ?? '');
}
