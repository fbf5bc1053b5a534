/** Each change is told once, and each effect happens once: outbox, stream, inbox and what consumers did agree. */
import type { World } from '../world.ts';
import type { Fact } from './changes.ts';
import { rowsOf, type OrderRow, type OutboxRow } from './rows.ts';
import { require } from './violation.ts';

export function checkEvents(world: World, facts: readonly Fact[]): void {
  const published = publishedIds(world);
  for (const [service, database] of world.databases) {
    if (!database.storage.schema.tables.has('outbox')) continue;
    for (const row of database.rows('outbox') as unknown as OutboxRow[]) {
      require(row.sent_at !== null, 'I12', () => `${row.type} of ${row.aggregate_id} was never sent`);
      require(published.has(row.id), 'I12', () =>
        `${service}: ${row.type} of ${row.aggregate_id} is not on the stream`);
    }
  }
  checkEffects(world, facts);
  checkProjection(world);
}

function publishedIds({ broker }: World): Set<string> {
  const messages = [...broker.streams.values()].flatMap((stream) => [...stream.messages.values()]);
  return new Set(messages.map(({ header }) => header.get('ce-id')));
}

/** The audit notes each event that it is given, and nothing keeps it from noting one twice but its inbox. */
function checkEffects(world: World, facts: readonly Fact[]): void {
  const effects = rowsOf<{ event_id: string; type: string; aggregate_id: string }>(world, 'audit', 'effects');
  for (const [id, same] of Map.groupBy(effects, ({ event_id: eventId }) => eventId)) {
    require(same.length === 1, 'I13', () => `${same[0]?.type} ${id} had its effect ${same.length} times`);
  }
  const seen = new Set(effects.map(({ type, aggregate_id: id }) => `${type} ${id}`));
  for (const { type, aggregateId } of facts) {
    require(seen.has(`${type} ${aggregateId}`), 'I13', () => `${type} of ${aggregateId} had no effect`);
  }
}

/** Whoever goes by versions ends with the truth, in whatever order he heard of it. */
function checkProjection(world: World): void {
  const orders = new Map(rowsOf<OrderRow>(world, 'orders', 'orders').map((order) => [order.order_id, order]));
  for (const { order_id: orderId, state } of rowsOf<OrderRow>(world, 'audit', 'order_states')) {
    const truth = orders.get(orderId)?.state;
    require(state === `STATE_${truth}`, 'I13', () => `order ${orderId} is ${truth}, and the audit thinks ${state}`);
  }
}
