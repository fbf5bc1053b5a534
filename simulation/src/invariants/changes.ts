/**
 * Looks at every commit: states move along their machines, versions grow by one, nothing disappears, and each change of
 * state has its event in the same transaction.
 */
import { canBecome } from '#inventory/domain/hold-state';
import { mayBecome as mayOrderBecome } from '#orders/domain/order-state';
import { mayBecome as mayPaymentBecome } from '#payments/domain/payment-state';
import type { PostgresServer } from '../postgres/server.ts';
import type { Changes, Row } from '../postgres/storage.ts';
import type { World } from '../world.ts';
import { checkAmounts } from './money.ts';
import type { OrderRow, PaymentRow, StockRow } from './rows.ts';
import { checkCounters } from './stock.ts';
import { require } from './violation.ts';

/** A change that the others have to be told of. */
export interface Fact {
  readonly type: string;
  readonly aggregateId: string;
}

interface Machine {
  readonly service: string;
  readonly table: string;
  readonly id: string;
  readonly mayBecome: (from: never, to: never) => boolean;
  readonly hasVersion: boolean;
}

const MACHINES: readonly Machine[] = [
  { service: 'orders', table: 'orders', id: 'order_id', mayBecome: mayOrderBecome, hasVersion: true },
  { service: 'payments', table: 'payments', id: 'payment_id', mayBecome: mayPaymentBecome, hasVersion: true },
  { service: 'inventory', table: 'holds', id: 'order_id', mayBecome: canBecome, hasVersion: false },
];

const ORDER_EVENTS: Readonly<Record<OrderRow['state'], string>> = {
  PENDING: 'OrderPlaced',
  CONFIRMED: 'OrderConfirmed',
  REJECTED: 'OrderRejected',
  CANCELLED: 'OrderCancelled',
  FULFILLED: 'OrderFulfilled',
  REFUNDED: 'OrderRefunded',
};

export class ChangeWatch {
  readonly facts: Fact[] = [];
  private readonly world: World;

  constructor(world: World) {
    this.world = world;
  }

  begin(): void {
    for (const [name, database] of this.world.databases) {
      database.onCommit = (changes) => this.look(name, database, changes);
    }
  }

  private look(service: string, database: PostgresServer, changes: Changes): void {
    for (const machine of MACHINES.filter((one) => one.service === service)) {
      for (const [id, after] of changes.get(machine.table) ?? []) {
        const before = database.storage.committed.get(machine.table)?.get(id);
        checkChange(machine, before, after);
        if (after && machine.table === 'orders') this.noteFact(before, after, changes);
        if (after && before?.['state'] !== after['state']) this.tell(machine, before, after);
      }
    }
    for (const row of rowsIn(changes, 'stock')) checkCounters(row as unknown as StockRow);
    for (const row of rowsIn(changes, 'payments')) checkAmounts(row as unknown as PaymentRow);
  }

  private noteFact(before: Row | undefined, after: Row, changes: Changes): void {
    const { order_id: orderId, state } = after as unknown as OrderRow;
    if (before?.['state'] === state) return;
    const type = `souk.orders.v1.${ORDER_EVENTS[state]}`;
    this.facts.push({ type, aggregateId: orderId });
    const isTold = rowsIn(changes, 'outbox').some((row) => row['type'] === type && row['aggregate_id'] === orderId);
    require(isTold, 'I12', () => `order ${orderId} became ${state} without its event`);
  }

  private tell({ table, id }: Machine, before: Row | undefined, after: Row): void {
    const from = (before?.['state'] as string | undefined) ?? 'new';
    this.world.trace.add('commit', `${table} ${String(after[id])}: ${from} -> ${String(after['state'])}`);
  }
}

function checkChange({ table, id, mayBecome, hasVersion }: Machine, before: Row | undefined, after: Row | null): void {
  require(after !== null, 'I4', () => `a row of ${table} was deleted: ${String(before?.[id])}`);
  if (!before) return;
  const name = `${table} ${String(after[id])}`;
  const [from, to] = [before['state'], after['state']];
  const isLawful = from === to || mayBecome(from as never, to as never);
  require(isLawful, 'I11', () => `${name} went from ${String(from)} to ${String(to)}`);
  if (!hasVersion) return;
  const step = (after['version'] as number) - (before['version'] as number);
  require(step >= 0, 'I11', () => `${name} went back ${-step} versions`);
  const isWritten = from !== to || String(after['updated_at']) !== String(before['updated_at']);
  require(step > 0 || !isWritten, 'I11', () => `${name} was written twice as version ${String(after['version'])}`);
}

function rowsIn(changes: Changes, table: string): Row[] {
  return [...(changes.get(table)?.values() ?? [])].filter((row) => row !== null);
}
