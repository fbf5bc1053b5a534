import type { Claim } from '@souk/idempotency';
import { sql, type Database } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { randomUUID } from 'node:crypto';
import type { Hold } from '../src/domain/hold.js';
import type { Stock } from '../src/domain/stock.js';
import { StockCorrections } from '../src/stock-corrections.js';
import { StockStore } from '../src/stock.store.js';
import { ledgerDisagreements } from './ledger.js';

const LEVELS = sql('test.levels', `SELECT data FROM outbox WHERE aggregate_id = $1 ORDER BY sequence`);
const FORGET_CLAIMS = sql('test.forget_claims', 'DELETE FROM claims');
const DEADLOCKS = sql(
  'test.deadlocks',
  'SELECT deadlocks::int AS count FROM pg_stat_database WHERE datname = current_database()',
);

/** The stock of one spec: a database of its own and two replicas on it. */
export class TestStock {
  readonly replicas: readonly [StockStore, StockStore];
  readonly corrections: StockCorrections;

  private constructor(readonly postgres: TestDatabase) {
    this.replicas = [storeOn(postgres.database), storeOn(postgres.database)];
    this.corrections = new StockCorrections(postgres.database, NO_RELAY);
  }

  static async create(): Promise<TestStock> {
    return new TestStock(await testDatabase({ migrations: 'apps/inventory/migrations' }));
  }

  get store(): StockStore {
    return this.replicas[0];
  }

  get database(): Database {
    return this.postgres.database;
  }

  /** Drops the database, after it was found sound: counters, ledger and holds agree, and nobody met in a deadlock. */
  async close(): Promise<void> {
    expect(await ledgerDisagreements(this.database)).toEqual([]);
    expect(await this.database.query(DEADLOCKS)).toEqual([{ count: 0 }]);
    await this.postgres.drop();
  }

  open(sku: string, openingStock: number): Promise<void> {
    return this.database.transaction((tx) => this.store.open(tx, [{ sku, openingStock, cause: randomUUID() }]));
  }

  holdOne(sku: string, quantity = 1, orderId: string = randomUUID(), replica = this.store): Promise<Hold> {
    return replica.hold(orderId, [{ sku, quantity }]);
  }

  sell(...orderIds: string[]): Promise<void> {
    return this.database.transaction((tx) => this.store.sell(tx, orderIds));
  }

  /** Without a key it is a count of its own. */
  async count(sku: string, onHand: number, key = '', expectedVersion?: number): Promise<Stock> {
    const request = { sku, onHand, expectedVersion };
    return (await this.corrections.count(request, claimOf('SetStock', key, request))).answer;
  }

  async adjust(sku: string, delta: number, key: string = randomUUID()): Promise<Stock> {
    const request = { sku, delta, reason: 'found in the cellar' };
    return (await this.corrections.adjust(request, claimOf('AdjustStock', key, request))).answer;
  }

  /** As when keys are pruned. */
  async forgetClaims(): Promise<void> {
    await this.database.query(FORGET_CLAIMS);
  }

  async stockOf(sku: string): Promise<Stock | undefined> {
    return (await this.store.get([sku]))[0];
  }

  /** What the world was told can be sold, each time. */
  async levelsSaid(sku: string): Promise<number[]> {
    const rows = await this.database.query<{ data: string }>(LEVELS, [sku]);
    return rows.map(({ data }) => (JSON.parse(data) as { available?: number }).available ?? 0);
  }
}

const NO_RELAY = { wake: () => undefined };

export function storeOn(database: Database): StockStore {
  return new StockStore(database, NO_RELAY);
}

export function claimOf(operation: string, key: string, request: unknown): Claim {
  return { principal: 'staff', operation, key, fingerprint: JSON.stringify(request) };
}

export function tally(holds: readonly Hold[]): Record<string, number> {
  const states = holds.map(({ state }) => state);
  return Object.fromEntries([...new Set(states)].map((state) => [state, states.filter((s) => s === state).length]));
}

/** Runs the tasks, so many at a time. */
export async function inFlight<T>(limit: number, tasks: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  const queue = tasks.entries();
  const lane = async () => {
    for (const [index, task] of queue) results[index] = await task();
  };
  await Promise.all(Array.from({ length: limit }, lane));
  return results;
}
