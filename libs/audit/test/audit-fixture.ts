// The database of one spec, trails that keep records in it, and a look at them.
import type { Database } from '@souk/postgres';
import type { CallRecord } from '@souk/rpc';
import { createLogger } from '@souk/telemetry';
import { eventually, testDatabase, type TestDatabase } from '@souk/testing';
import { AuditTrail } from '../src/audit-trail.js';
import { AuditStore, type AuditRow } from '../src/audit.store.js';

export const ORDER = '0190a5c2-0000-7000-8000-000000000001';

export interface AuditFixture {
  readonly postgres: TestDatabase;
  /** What is to be ended with the spec, the last first. */
  readonly ends: (() => unknown)[];
  trailOf(countMs?: number, database?: Database): AuditTrail;
  /** All records, as soon as there are so many. */
  records(count: number): Promise<AuditRow[]>;
  close(): Promise<void>;
}

export async function auditFixture(): Promise<AuditFixture> {
  const postgres = await testDatabase({ migrations: 'libs/audit/test/migrations' });
  const ends: (() => unknown)[] = [];
  return {
    postgres,
    ends,
    trailOf: (countMs = 60_000, database = postgres.database) => {
      const trail = new AuditTrail({ service: 'orders', database, logger: createLogger('test'), countMs });
      trail.onApplicationBootstrap();
      ends.push(() => trail.onModuleDestroy());
      return trail;
    },
    records: (count) =>
      eventually(async () => {
        const found = await new AuditStore(postgres.database).after(0n, 1_000);
        expect(found).toHaveLength(count);
        return found;
      }),
    close: async () => {
      for (const end of ends.splice(0).reverse()) await end();
      await postgres.drop();
    },
  };
}

export function callBy(principalId: string, isAsked = false): CallRecord {
  const principal = { kind: 'client' as const, clientId: principalId, permissions: [] };
  const action = 'souk.orders.v1.OrdersService/CancelOrder';
  const object = { type: 'order', id: ORDER };
  return {
    callId: crypto.randomUUID(),
    time: new Date(),
    action,
    principal,
    caller: '',
    source: '',
    requestId: '',
    object,
    isAsked,
  };
}
