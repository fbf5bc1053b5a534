/** The connection breaks at the COMMIT: the caller is told that the database is away, and asks again. */
import { Database } from '@souk/postgres';
import { commitCutter, type Cut } from '@souk/testing';
import { claimOf, storeOn, TestStock } from '../test/test-stock.js';
import { StockCorrections } from './stock-corrections.js';
import type { StockStore } from './stock.store.js';

const CUTS: Cut[] = ['before commit', 'after commit'];
const LINES = [{ sku: 'A', quantity: 2 }];

interface Case {
  act: string;
  before?: (store: StockStore) => Promise<unknown>;
  ask: (parts: { store: StockStore; corrections: StockCorrections }) => Promise<unknown>;
  /** On hand, held and version; from 10, 0 and 1. */
  ends: [onHand: number, held: number, version: number];
}

const CASES: Case[] = [
  { act: 'a hold', ask: ({ store }) => store.hold('o1', LINES), ends: [10, 2, 2] },
  {
    act: 'the release of a hold',
    before: (store) => store.hold('o1', LINES),
    ask: ({ store }) => store.release('o1'),
    ends: [10, 0, 3],
  },
  { act: 'the hold of a cart', ask: ({ store }) => store.holdCart('c1', LINES, 60_000), ends: [10, 2, 2] },
  {
    act: 'an order that takes over what its cart holds',
    before: (store) => store.holdCart('c1', LINES, 60_000),
    ask: ({ store }) => store.hold('o1', LINES, 'c1'),
    ends: [10, 2, 4],
  },
  {
    act: 'the release of a cart',
    before: (store) => store.holdCart('c1', LINES, 60_000),
    ask: ({ store }) => store.releaseCart('c1'),
    ends: [10, 0, 3],
  },
  {
    act: 'an adjustment',
    ask: ({ corrections }) => {
      const request = { sku: 'A', delta: 5, reason: '' };
      return corrections.adjust(request, claimOf('AdjustStock', 'adjust-1', request));
    },
    ends: [15, 0, 2],
  },
];

let stock: TestStock;

beforeEach(async () => {
  stock = await TestStock.create();
  await stock.open('A', 10);
});

afterEach(() => stock.close());

describe.each(CASES)('$act', ({ before, ask, ends: [onHand, held, version] }) => {
  it.each(CUTS)(
    'happens once, though the connection broke %s and it was asked for again (F2, F22, F68)',
    async (cut) => {
      await before?.(stock.store);
      const wire = await commitCutter(stock.postgres.url);
      const database = Database.connect({ url: wire.url, name: 'cut', poolSize: 1 });
      const parts = {
        store: storeOn(database),
        corrections: new StockCorrections(database, { wake: () => undefined }),
      };
      wire.cutNext(cut);
      await expect(ask(parts)).rejects.toMatchObject({ reason: 'DATABASE_UNAVAILABLE' });
      await ask(parts);
      await ask(parts);
      expect(await stock.stockOf('A')).toEqual({ sku: 'A', onHand, held, version });
      await database.close();
      await wire.close();
    },
  );
});
