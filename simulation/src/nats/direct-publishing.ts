/** What a service without an outbox does: it publishes once its transaction is committed, and hopes. */
import { encodeEvent } from '@souk/events';
import type { Host } from '../host.ts';
import type { PostgresServer } from '../postgres/server.ts';
import type { Changes, Row } from '../postgres/storage.ts';
import type { Broker } from './broker.ts';

export function publishDirectly(server: PostgresServer, broker: Broker, source: string): void {
  server.beforeCommit = (changes: Changes, host: Host | undefined) => {
    const rows = changes.get('outbox');
    for (const [id, row] of rows ?? []) {
      if (!host || !row || row['sent_at'] !== null) continue;
      rows?.set(id, { ...row, sent_at: server.clock() });
      const { scheduler, network } = broker;
      scheduler.after(network.delay(), () => broker.receive(host, () => publish(broker, source, row)), host);
    }
  };
}

function publish(broker: Broker, source: string, row: Row): void {
  const { id, type, aggregate_id: aggregateId, data, created_at: time } = row as Row & Record<string, string>;
  const envelope = { id: id ?? '', type: type ?? '', source, aggregateId: aggregateId ?? '', data: data ?? '' };
  const { headers, payload } = encodeEvent({ ...envelope, time: new Date(time ?? '') });
  if (!broker.streams.has(source.toUpperCase())) return;
  broker.publish({ subject: envelope.type, data: payload, header: headers, id: envelope.id });
}
