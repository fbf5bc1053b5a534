import fc from 'fast-check';
import { decideCartHold, expireCart, releaseCart, type CartDecision, type CartHold } from './cart-hold.js';
import { decideHold, releaseHold, sellHold, type Hold, type HoldDecision } from './hold.js';
import { adjustStock, countStock, noStock, type Movement, type Stock, type StockChange } from './stock.js';

const SKUS = ['A', 'B', 'C'];
const TIME_TO_LIVE = 5;

// Few orders, carts and units, so that commands meet the same one again and stock runs short.
const line = fc.record({ sku: fc.constantFrom(...SKUS, 'UNKNOWN'), quantity: fc.integer({ min: 1, max: 4 }) });
const lines = fc.array(line, { minLength: 1, maxLength: 4 });
const sku: fc.Arbitrary<string> = fc.constantFrom(...SKUS);
const orderId: fc.Arbitrary<string> = fc.constantFrom('o1', 'o2', 'o3', 'o4', 'o5');
const cartId: fc.Arbitrary<string> = fc.constantFrom('c1', 'c2', 'c3');
const named = <N extends string, M extends object>(name: N, model: { [K in keyof M]: fc.Arbitrary<M[K]> }) =>
  fc.record({ name: fc.constant(name), ...model }) as fc.Arbitrary<{ name: N } & M>;

const ofOrders = fc.oneof(
  {
    weight: 4,
    arbitrary: named('hold', { orderId, lines, cartId: fc.option(cartId, { nil: undefined }) }),
  },
  { weight: 2, arbitrary: named('release', { orderId }) },
  { weight: 2, arbitrary: named('sell', { orderId }) },
);
const ofCarts = fc.oneof(
  { weight: 3, arbitrary: named('holdCart', { cartId, lines }) },
  { weight: 1, arbitrary: named('releaseCart', { cartId }) },
  { weight: 2, arbitrary: named('expireCart', { cartId }) },
);
const ofStaff = fc.oneof(
  named('count', { sku, onHand: fc.nat({ max: 8 }) }),
  named('adjust', { sku, delta: fc.integer({ min: -4, max: 4 }).filter((delta) => delta !== 0) }),
);
const passing = named('pass', { time: fc.integer({ min: 1, max: 2 * TIME_TO_LIVE }) });
const command = fc.oneof(
  { weight: 8, arbitrary: ofOrders },
  { weight: 6, arbitrary: ofCarts },
  { weight: 3, arbitrary: ofStaff },
  { weight: 2, arbitrary: passing },
);
type Of<A> = A extends fc.Arbitrary<infer T> ? T : never;
type Command = Of<typeof command>;

class Model {
  readonly shelf = new Map<string, Stock>(SKUS.map((name) => [name, noStock(name)]));
  readonly holds = new Map<string, Hold>();
  readonly cartHolds = new Map<string, CartHold>();
  readonly movements: Movement[] = [];
  now = 0;

  /** @param act names what the command causes, where it has no name of its own */
  run(given: Command, act: string): void {
    try {
      this.decide(given, act);
    } catch (error) {
      if (!(error instanceof Error && 'reason' in error)) throw error;
    }
  }

  private decide(given: Command, act: string): void {
    switch (given.name) {
      case 'pass':
        this.now += given.time;
        return;
      case 'count':
        return this.apply([countStock(this.stock(given.sku), { onHand: given.onHand, cause: act })]);
      case 'adjust':
        return this.apply([adjustStock(this.stock(given.sku), { delta: given.delta, reason: '', cause: act })]);
      case 'hold':
      case 'release':
      case 'sell':
        return this.keepHold(this.decideHold(given), 'cartId' in given ? given.cartId : undefined);
      default:
        return this.keepCart(given.cartId, this.decideCart(given, act));
    }
  }

  private decideHold(given: Of<typeof ofOrders>): HoldDecision {
    const existing = this.holds.get(given.orderId);
    if (given.name !== 'hold')
      return (given.name === 'release' ? releaseHold : sellHold)(this.shelf, existing, given.orderId);
    return decideHold(this.shelf, existing, given, this.cartHolds.get(given.cartId ?? ''));
  }

  private decideCart(given: Of<typeof ofCarts>, holdId: string): CartDecision {
    const existing = this.cartHolds.get(given.cartId);
    if (given.name === 'releaseCart') return releaseCart(this.shelf, existing);
    if (given.name === 'expireCart') return expireCart(this.shelf, existing, new Date(this.now));
    return decideCartHold(this.shelf, existing, { ...given, holdId, expiresAt: new Date(this.now + TIME_TO_LIVE) });
  }

  private keepHold({ hold, changes, cartTaken }: HoldDecision, cart = ''): void {
    this.holds.set(hold.orderId, hold);
    if (cartTaken) this.cartHolds.delete(cart);
    this.apply(changes);
  }

  private keepCart(id: string, { cartHold, changes }: CartDecision): void {
    if (cartHold) this.cartHolds.set(id, cartHold);
    else this.cartHolds.delete(id);
    this.apply(changes);
  }

  private apply(changes: readonly StockChange[]): void {
    for (const { stock, movement } of changes) {
      this.shelf.set(stock.sku, stock);
      this.movements.push(movement);
    }
  }

  stock(name: string): Stock {
    return this.shelf.get(name) ?? noStock(name);
  }

  moved(name: string, delta: 'onHandDelta' | 'heldDelta', ...kinds: Movement['kind'][]): number {
    return this.movements
      .filter((movement) => movement.sku === name && (kinds.length === 0 || kinds.includes(movement.kind)))
      .reduce((sum, movement) => sum + movement[delta], 0);
  }

  liveUnits(name: string): number {
    const ofLiveOrders = [...this.holds.values()].filter(({ state }) => state === 'HELD');
    const live = [...ofLiveOrders, ...this.cartHolds.values()].flatMap((hold) => hold.lines);
    return live.filter((held) => held.sku === name).reduce((sum, { quantity }) => sum + quantity, 0);
  }
}

function expectSound(model: Model): void {
  for (const name of SKUS) {
    const stock = model.stock(name);
    expect(stock.onHand).toBeGreaterThanOrEqual(0);
    expect(stock.held).toBeGreaterThanOrEqual(0);
    expect(stock.held).toBeLessThanOrEqual(stock.onHand);
    expect(model.moved(name, 'onHandDelta')).toBe(stock.onHand);
    expect(model.moved(name, 'heldDelta')).toBe(stock.held);
    expect(model.movements.filter((movement) => movement.sku === name)).toHaveLength(stock.version);
    expect(model.liveUnits(name)).toBe(stock.held);
    const sold = -model.moved(name, 'onHandDelta', 'SOLD', 'RETURNED');
    const received = model.moved(name, 'onHandDelta', 'OPENED', 'COUNTED', 'ADJUSTED');
    expect(sold + stock.held).toBeLessThanOrEqual(received);
  }
  const causes = model.movements.map((movement) => `${movement.cause} ${movement.sku} ${movement.kind}`);
  expect(new Set(causes).size).toBe(causes.length);
}

const OPENING: Command[] = SKUS.map((name) => ({ name: 'count', sku: name, onHand: 6 }));

describe('any sequence of commands', () => {
  it('keeps the counters in bounds, the ledger equal to them and every cause unique', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 60 }), (commands) => {
        const model = new Model();
        commands.forEach((given, index) => {
          model.run(given, `act-${index}`);
          expectSound(model);
        });
      }),
      { numRuns: 500 },
    );
  });

  it('ends the same when each command about an order or a cart arrives twice (F57)', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(ofOrders, ofCarts, passing), { maxLength: 30 }), (commands) => {
        const [once, twice] = [new Model(), new Model()];
        [...OPENING, ...commands].forEach((given, index) => once.run(given, `act-${index}`));
        OPENING.forEach((given, index) => twice.run(given, `act-${index}`));
        commands.forEach((given, index) => {
          twice.run(given, `act-${OPENING.length + index}`);
          if (given.name !== 'pass') twice.run(given, `again-${index}`);
        });
        expect(twice.movements).toEqual(once.movements);
        expect([...twice.shelf]).toEqual([...once.shelf]);
        expect([...twice.holds]).toEqual([...once.holds]);
        expect([...twice.cartHolds]).toEqual([...once.cartHolds]);
      }),
      { numRuns: 300 },
    );
  });

  it('leaves no unit held when every order and every cart has ended, in whatever order that is heard of (F24, F58)', () => {
    const orders = ['o1', 'o2', 'o3', 'o4', 'o5'];
    const carts = ['c1', 'c2', 'c3'];
    const ends: Command[] = [
      ...orders.map((id) => ({ name: 'release' as const, orderId: id })),
      ...carts.map((id) => ({ name: 'releaseCart' as const, cartId: id })),
    ];
    const shuffled = fc
      .tuple(fc.array(fc.oneof(ofOrders, ofCarts), { maxLength: 20 }), fc.constant(ends))
      .chain(([commands]) => fc.shuffledSubarray([...commands, ...ends], { minLength: commands.length + ends.length }));
    fc.assert(
      fc.property(shuffled, (commands) => {
        const model = new Model();
        OPENING.forEach((given, index) => model.run(given, `opening-${index}`));
        commands.forEach((given, index) => model.run(given, `act-${index}`));
        // A cart may hold again after its release; then it has its time.
        model.now += TIME_TO_LIVE;
        carts.forEach((id) => model.run({ name: 'expireCart', cartId: id }, 'sweep'));
        expectSound(model);
        for (const name of SKUS) expect(model.stock(name)).toMatchObject({ onHand: 6, held: 0 });
      }),
      { numRuns: 300 },
    );
  });
});
