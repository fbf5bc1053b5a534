/**
 * A consumer as anybody might write one, for the simulation alone: it counts every event that it is handed, and keeps the
 * newest state of each order. Its effects can't be repeated, so that it shows whether they were.
 */
import type { EventBus } from '@souk/events';
import { EventConsumer } from '@souk/inbox';
import { sql, type Database } from '@souk/postgres';
import type { Order } from '@souk/proto/orders/v1';
import {
  OrderCancelled,
  OrderConfirmed,
  OrderFulfilled,
  OrderPlaced,
  OrderRefunded,
  OrderRejected,
} from '@souk/proto/orders/v1';
import type { Logger } from '@souk/telemetry';
import type { Host } from '../host.ts';
import { simulatedBus } from '../nats/bus.ts';
import type { PostgresServer } from '../postgres/server.ts';
import { connectDatabase, type RunningService } from '../services/service.ts';
import type { World } from '../world.ts';

const CODECS = { OrderPlaced, OrderConfirmed, OrderRejected, OrderCancelled, OrderFulfilled, OrderRefunded };

const NOTE = sql('audit.note', 'INSERT INTO effects (event_id, type, aggregate_id) VALUES ($1, $2, $3)');
const FOLLOW = sql(
  'audit.follow',
  `INSERT INTO order_states AS known (order_id, state, version) VALUES ($1, $2, $3)
   ON CONFLICT (order_id) DO UPDATE SET state = excluded.state, version = excluded.version
    WHERE known.version < excluded.version`,
);

export function startAudit(world: World, host: Host, server: PostgresServer): RunningService {
  const consumers = auditConsumers(
    connectDatabase(world, host, server),
    simulatedBus(world.broker, host),
    world.loggerOf(host),
  );
  for (const consumer of consumers) void consumer.start();
  return {};
}

function auditConsumers(database: Database, bus: EventBus, logger: Logger): EventConsumer<{ order?: Order }>[] {
  return Object.entries(CODECS).map(([name, codec]) => {
    return new EventConsumer<{ order?: Order }>({
      database,
      bus,
      logger,
      durable: `audit-${name}`,
      type: `souk.orders.v1.${name}`,
      decode: (json) => codec.fromJSON(json),
      handle: async (tx, events) => {
        for (const { id, type, aggregateId, data } of events) {
          await tx.query(NOTE, [id, type, aggregateId]);
          await tx.query(FOLLOW, [aggregateId, data.order?.state, data.order?.version]);
        }
      },
    });
  });
}
