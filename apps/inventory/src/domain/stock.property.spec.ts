import fc from 'fast-check';
import { decideHold, releaseHold, sellHold, type Hold, type HoldDecision } from './hold.js';
import { countStock, noStock, type Movement, type Stock, type StockChange } from './stock.js';

const SKUS = ['A', 'B', 'C'];

const line = fc.record({ sku: fc.constantFrom(...SKUS, 'UNKNOWN'), quantity: fc.integer({ min: 1, max: 4 }) });
const orderId = fc.constantFrom('o1', 'o2', 'o3', 'o4', 'o5');
// Few orders and few units, so that commands meet the same order again and stock runs short.
const command = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      name: fc.constant('hold' as const),
      orderId,
      lines: fc.array(line, { minLength: 1, maxLength: 4 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('release' as const), orderId }) },
  { weight: 2, arbitrary: fc.record({ name: fc.constant('sell' as const), orderId }) },
  {
    weight: 1,
    arbitrary: fc.record({
      name: fc.constant('count' as const),
      sku: fc.constantFrom(...SKUS),
      onHand: fc.nat({ max: 8 }),
    }),
  },
);
type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;

class Model {
  readonly shelf = new Map<string, Stock>(SKUS.map((sku) => [sku, noStock(sku)]));
  readonly holds = new Map<string, Hold>();
  readonly movements: Movement[] = [];

  run(given: Command, cause: string): void {
    try {
      if (given.name === 'count') this.apply([countStock(this.stock(given.sku), { onHand: given.onHand, cause })]);
      else this.keep(this.decide(given));
    } catch (error) {
      if (!(error instanceof Error && 'reason' in error)) throw error;
    }
  }

  private decide(given: Exclude<Command, { name: 'count' }>): HoldDecision {
    const existing = this.holds.get(given.orderId);
    if (given.name === 'hold') return decideHold(this.shelf, existing, given);
    return (given.name === 'release' ? releaseHold : sellHold)(this.shelf, existing, given.orderId);
  }

  private keep({ hold, changes }: HoldDecision): void {
    this.holds.set(hold.orderId, hold);
    this.apply(changes);
  }

  private apply(changes: readonly StockChange[]): void {
    for (const { stock, movement } of changes) {
      this.shelf.set(stock.sku, stock);
      this.movements.push(movement);
    }
  }

  stock(sku: string): Stock {
    return this.shelf.get(sku) ?? noStock(sku);
  }

  moved(sku: string, delta: 'onHandDelta' | 'heldDelta', ...kinds: Movement['kind'][]): number {
    return this.movements
      .filter((movement) => movement.sku === sku && (kinds.length === 0 || kinds.includes(movement.kind)))
      .reduce((sum, movement) => sum + movement[delta], 0);
  }

  liveUnits(sku: string): number {
    const lines = [...this.holds.values()].filter(({ state }) => state === 'HELD').flatMap(({ lines }) => lines);
    return lines.filter((held) => held.sku === sku).reduce((sum, { quantity }) => sum + quantity, 0);
  }
}

function expectSound(model: Model): void {
  for (const sku of SKUS) {
    const stock = model.stock(sku);
    expect(stock.onHand).toBeGreaterThanOrEqual(0);
    expect(stock.held).toBeGreaterThanOrEqual(0);
    expect(stock.held).toBeLessThanOrEqual(stock.onHand);
    expect(model.moved(sku, 'onHandDelta')).toBe(stock.onHand);
    expect(model.moved(sku, 'heldDelta')).toBe(stock.held);
    expect(model.liveUnits(sku)).toBe(stock.held);
    const sold = -model.moved(sku, 'onHandDelta', 'SOLD', 'RETURNED');
    expect(sold + stock.held).toBeLessThanOrEqual(model.moved(sku, 'onHandDelta', 'OPENED', 'COUNTED'));
  }
  const causes = model.movements.map(({ cause, sku, kind }) => `${cause} ${sku} ${kind}`);
  expect(new Set(causes).size).toBe(causes.length);
}

describe('any sequence of commands', () => {
  it('keeps the counters in bounds, the ledger equal to them and every cause unique', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
        const model = new Model();
        commands.forEach((given, index) => {
          model.run(given, `count-${index}`);
          expectSound(model);
        });
      }),
      { numRuns: 300 },
    );
  });

  it('ends the same when each command is given twice', () => {
    const opening: Command[] = SKUS.map((sku) => ({ name: 'count', sku, onHand: 6 }));
    const idempotent = command.filter(({ name }) => name !== 'count');
    fc.assert(
      fc.property(fc.array(idempotent, { maxLength: 30 }), (commands) => {
        const [once, twice] = [new Model(), new Model()];
        [...opening, ...commands].forEach((given, index) => once.run(given, `count-${index}`));
        opening.forEach((given, index) => twice.run(given, `count-${index}`));
        commands.forEach((given) => [1, 2].forEach(() => twice.run(given, 'never')));
        expect(twice.movements).toEqual(once.movements);
        expect([...twice.shelf]).toEqual([...once.shelf]);
        expect([...twice.holds]).toEqual([...once.holds]);
      }),
      { numRuns: 200 },
    );
  });
});
