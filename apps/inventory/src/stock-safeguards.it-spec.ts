/**
 * What each safeguard is there for. The same race is run with it and without it: rows that are read without being locked,
 * constraints that are dropped. The switches are in this file alone. Both transactions are made to look before either of them writes,
 * wherever the locks let them.
 */
import { sql, type Database, type Statement, type Transaction } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { ledgerDisagreements } from '../test/ledger.js';
import { claimOf, storeOn } from '../test/test-stock.js';
import { intercepted } from '../test/watched-database.js';
import { StockCorrections } from './stock-corrections.js';
import type { StockStore } from './stock.store.js';

const WITHOUT = {
  check: sql('test.drop_check', 'ALTER TABLE stock DROP CONSTRAINT stock_check'),
  holdsKey: sql('test.drop_holds_key', 'ALTER TABLE holds DROP CONSTRAINT holds_pkey'),
  cartHoldsKey: sql('test.drop_cart_holds_key', 'ALTER TABLE cart_holds DROP CONSTRAINT cart_holds_pkey'),
  movementsOnce: sql('test.drop_movements_once', 'ALTER TABLE movements DROP CONSTRAINT movements_once'),
  claimsKey: sql('test.drop_claims_key', 'ALTER TABLE claims DROP CONSTRAINT claims_pkey'),
};

let postgres: TestDatabase;

beforeEach(async () => {
  postgres = await testDatabase({ migrations: 'apps/inventory/migrations' });
});

afterEach(() => postgres.drop());

async function without(...safeguards: (keyof typeof WITHOUT)[]): Promise<void> {
  for (const safeguard of safeguards) await postgres.database.query(WITHOUT[safeguard]);
}

/** Everybody waits for two to arrive, or for as long as it takes to be sure that the other one can't. */
function meeting(): () => Promise<void> {
  let both: () => void;
  const met = new Promise<void>((resolve) => (both = resolve));
  let arrived = 0;
  return async () => {
    arrived += 1;
    if (arrived === 2) both();
    await Promise.race([met, sleep(500)]);
  };
}

/** What two replicas see of the database, who both read with the named statement before either goes on. */
function meetingAfter(name: string, { locks }: { locks: boolean }): [Database, Database] {
  const meet = meeting();
  const replica = () =>
    intercepted(postgres.database, async (query, statement, values) => {
      const rows = await query(locks ? statement : unlocked(statement), values);
      if (statement.name === name) await meet();
      return rows;
    });
  return [replica(), replica()];
}

function unlocked({ name, text }: Statement): Statement {
  return { name: `${name}.unlocked`, text: text.replace(/ FOR UPDATE$/, '') };
}

async function open(sku: string, openingStock: number): Promise<void> {
  const openings = [{ sku, openingStock, cause: `event-${sku}` }];
  await postgres.database.transaction((tx: Transaction) => storeOn(postgres.database).open(tx, openings));
}

async function heldOf(sku: string): Promise<number> {
  const [stock] = await storeOn(postgres.database).get([sku]);
  return stock?.held ?? 0;
}

/** What became of two calls: the answer's state, or what the database refused. */
async function outcomes(...calls: Promise<unknown>[]): Promise<string[]> {
  const settled = await Promise.allSettled(calls);
  return settled.map((call) => (call.status === 'fulfilled' ? stateOf(call.value) : causeOf(call.reason))).sort();
}

function stateOf(answer: unknown): string {
  return typeof answer === 'object' && answer !== null && 'state' in answer ? String(answer.state) : 'DONE';
}

function causeOf(error: unknown): string {
  const { constraint, reason, message } = error as { constraint?: string; reason?: string; message: string };
  return constraint ?? reason ?? message;
}

async function isSound(): Promise<boolean> {
  return (await ledgerDisagreements(postgres.database)).length === 0;
}

describe('two buyers of the last unit', () => {
  async function race({ locks }: { locks: boolean }): Promise<string[]> {
    await open('LAST', 1);
    const [one, other] = meetingAfter('stock.lock', { locks }).map(storeOn) as [StockStore, StockStore];
    const line = { sku: 'LAST', quantity: 1 };
    return outcomes(one.hold('o1', [line]), other.hold('o2', [line]));
  }

  it('get one unit and one refusal (F28)', async () => {
    expect(await race({ locks: true })).toEqual(['HELD', 'REFUSED']);
    expect(await isSound()).toBe(true);
  });

  it('get one unit and an error without row locks: the CHECK sees the second one', async () => {
    expect(await race({ locks: false })).toEqual(['HELD', 'stock_check']);
    expect(await isSound()).toBe(true);
  });

  it('get two without row locks and CHECK', async () => {
    await without('check');
    expect(await race({ locks: false })).toEqual(['HELD', 'HELD']);
    expect(await heldOf('LAST')).toBe(2);
    expect(await isSound()).toBe(false);
  });
});

describe('an order that is released twice at once', () => {
  async function race({ locks }: { locks: boolean }): Promise<string[]> {
    await open('A', 2);
    for (const orderId of ['released', 'kept']) {
      await storeOn(postgres.database).hold(orderId, [{ sku: 'A', quantity: 1 }]);
    }
    const [one, other] = meetingAfter('stock.lock', { locks }).map(storeOn) as [StockStore, StockStore];
    return outcomes(one.release('released'), other.release('released'));
  }

  it('gives its unit back once (F31)', async () => {
    expect(await race({ locks: true })).toEqual(['RELEASED', 'RELEASED']);
    expect(await heldOf('A')).toBe(1);
    expect(await isSound()).toBe(true);
  });

  it('gives it back once also without row locks: the ledger takes a cause once', async () => {
    expect(await race({ locks: false })).toEqual(['RELEASED', 'RELEASED']);
    expect(await heldOf('A')).toBe(1);
    expect(await isSound()).toBe(true);
  });

  it('gives back the unit of another order too without row locks and the unique cause', async () => {
    await without('movementsOnce');
    expect(await race({ locks: false })).toEqual(['RELEASED', 'RELEASED']);
    expect(await heldOf('A')).toBe(0);
    expect(await isSound()).toBe(false);
  });
});

describe('the first hold of an order, asked for twice at once', () => {
  // There is no row yet that could be locked.
  async function race(): Promise<string[]> {
    await open('A', 5);
    const replicas = meetingAfter('stock.lock_holds', { locks: true }).map(storeOn);
    return outcomes(...replicas.map((replica) => replica.hold('o1', [{ sku: 'A', quantity: 1 }])));
  }

  it('is one hold, and answered twice (F5)', async () => {
    expect(await race()).toEqual(['HELD', 'HELD']);
    expect(await heldOf('A')).toBe(1);
    expect(await isSound()).toBe(true);
  });

  it('is one hold also without the key of orders: the ledger takes a cause once', async () => {
    await without('holdsKey');
    expect(await race()).toEqual(['HELD', 'HELD']);
    expect(await heldOf('A')).toBe(1);
    expect(await isSound()).toBe(true);
  });

  it('is two holds without the key of orders and the unique cause', async () => {
    await without('holdsKey', 'movementsOnce');
    expect(await race()).toEqual(['HELD', 'HELD']);
    expect(await heldOf('A')).toBe(2);
  });
});

describe('the first hold of a cart, asked for twice at once', () => {
  async function race(): Promise<void> {
    await open('A', 5);
    const replicas = meetingAfter('cart_holds.lock', { locks: true }).map(storeOn);
    await Promise.all(replicas.map((replica) => replica.holdCart('c1', [{ sku: 'A', quantity: 1 }], 60_000)));
    await storeOn(postgres.database).releaseCart('c1');
  }

  it('is one hold, and leaves nothing behind', async () => {
    await race();
    expect(await heldOf('A')).toBe(0);
    expect(await isSound()).toBe(true);
  });

  it('leaves a unit behind that nobody has without the key of carts', async () => {
    await without('cartHoldsKey');
    await race();
    expect(await heldOf('A')).toBe(1);
  });
});

describe('an adjustment that is sent twice at once', () => {
  async function race(): Promise<string[]> {
    await open('A', 5);
    const request = { sku: 'A', delta: 3, reason: '' };
    const by = claimOf('AdjustStock', 'adjust-1', request);
    const replicas = [1, 2].map(() => new StockCorrections(postgres.database, { wake: () => undefined }));
    return outcomes(...replicas.map((replica) => replica.adjust(request, by)));
  }

  async function onHand(): Promise<number | undefined> {
    return (await storeOn(postgres.database).get(['A']))[0]?.onHand;
  }

  it('is applied once, and answered twice (F5)', async () => {
    expect(await race()).toEqual(['DONE', 'DONE']);
    expect(await onHand()).toBe(8);
  });

  it('is applied once and refused once without claims: the ledger takes a cause once', async () => {
    await without('claimsKey');
    expect(await race()).toEqual(['DONE', 'REQUEST_ID_REUSED']);
    expect(await onHand()).toBe(8);
  });

  it('is applied twice without claims and the unique cause', async () => {
    await without('claimsKey', 'movementsOnce');
    expect(await race()).toEqual(['DONE', 'DONE']);
    expect(await onHand()).toBe(11);
  });
});
