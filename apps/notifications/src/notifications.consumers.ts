import type { EventBus } from '@souk/events';
import { EventConsumer } from '@souk/inbox';
import type { Database } from '@souk/postgres';
import { Consumers } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { CONSUMED_EVENTS, newsOf } from './notifications.events.js';
import type { NotificationsStore } from './notifications.store.js';

export interface ConsumerParts {
  readonly database: Database;
  readonly bus: EventBus;
  readonly logger: Logger;
  /** Called when mails were written. */
  readonly wake: () => void;
}

const BATCH = 500;

/** What this service does about the events of others: it writes a mail for what happens to an order. */
export function notificationsConsumers(store: NotificationsStore, parts: ConsumerParts): Consumers {
  const { database, bus, logger, wake } = parts;
  const common = { database, bus, logger, afterCommit: wake, batch: BATCH };
  return new Consumers(
    CONSUMED_EVENTS.map(
      ({ name, kind, decode }) =>
        new EventConsumer({
          ...common,
          durable: `notifications-${name}`,
          type: `souk.orders.v1.${name}`,
          decode,
          handle: (tx, events) => store.insert(tx, newsOf(kind, events)),
        }),
    ),
  );
}
