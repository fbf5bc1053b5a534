/** One run: a shop opens, customers come, things go wrong for a while, and then everything has to come to rest. */
import { CatalogServiceService } from '@souk/proto/catalog/v1';
import { checkEvents } from './invariants/events.ts';
import { ChangeWatch } from './invariants/changes.ts';
import { checkMoney } from './invariants/money.ts';
import { checkOrders } from './invariants/orders.ts';
import { checkStock } from './invariants/stock.ts';
import { Violation } from './invariants/violation.ts';
import { drawTroubles, Nemesis } from './nemesis.ts';
import { signatureOf } from './provider/signature.ts';
import { Random } from './random.ts';
import { Rest } from './rest.ts';
import { WEBHOOK_SECRET } from './services/blueprints.ts';
import { Buyer } from './shop/buyer.ts';
import { drawOpening, type Opening } from './shop/draw-plans.ts';
import { History } from './shop/history.ts';
import { GUEST, staff, Storefront } from './shop/storefront.ts';
import type { Switch } from './switches.ts';
import { enter } from './virtual-globals.ts';
import { World } from './world.ts';

export interface RunOptions {
  readonly seed: number;
  readonly switchedOff?: Switch | undefined;
  readonly isTraced?: boolean;
}

export interface Outcome {
  readonly seed: number;
  /** Undefined where every promise was kept. */
  readonly violation?: { readonly invariant: string; readonly message: string } | undefined;
  readonly trace: readonly string[];
  readonly orders: number;
  readonly events: number;
  readonly virtualMs: number;
}

const OPENING_MS = 1_000;
const SHORTEST_TROUBLE_MS = 2_000;
const LONGEST_TROUBLE_MS = 8_000;
/** How much longer than asked for the longer timers take: a machine may be busy, and most looks find nothing. */
const SLEEPINESS = [2, 8, 16, 16, 30, 30];
const PRICE = 1_000n;
const TRACED_FRAMES = 10;

export async function simulate({ seed, switchedOff, isTraced = false }: RunOptions): Promise<Outcome> {
  // Errors are part of the weather here, and their stacks cost more than all else about them.
  Error.stackTraceLimit = isTraced ? TRACED_FRAMES : 0;
  const random = new Random(seed);
  const troubles = drawTroubles(random);
  const { weather, providerWeather } = troubles;
  const world = new World({ seed, weather, providerWeather, switchedOff, isTraced });
  const start = world.scheduler.now;
  const run = new Run(world, random, new Nemesis(world, troubles, random.fork()));
  const leave = enter({ scheduler: world.scheduler, random: random.fork(), stretch: (ms) => run.rest.stretch(ms) });
  const violation = await run.violation().finally(leave);
  const orders = world.database('orders').rows('orders').length;
  const { events, now } = world.scheduler;
  return { seed, violation, trace: world.trace.lines, orders, events, virtualMs: now - start };
}

class Run {
  readonly rest: Rest;
  private readonly world: World;
  private readonly history = new History();
  private readonly watch: ChangeWatch;
  private readonly shop: Storefront;
  private readonly opening: Opening;
  private readonly random: Random;
  private readonly nemesis: Nemesis;
  private failure: Error | undefined;

  constructor(world: World, random: Random, nemesis: Nemesis) {
    this.world = world;
    this.random = random;
    this.nemesis = nemesis;
    this.watch = new ChangeWatch(world);
    this.shop = new Storefront(world);
    this.opening = drawOpening(random);
    this.rest = new Rest(world, this.shop, nemesis, random.pick(SLEEPINESS));
  }

  async violation(): Promise<Outcome['violation']> {
    const fail = (error: unknown) => (this.failure ??= error instanceof Error ? error : new Error(String(error)));
    process.on('unhandledRejection', fail);
    try {
      this.prepare();
      this.watch.begin();
      void this.play().catch(fail);
      await this.world.scheduler.run(() => this.failure !== undefined || this.rest.isReached);
      if (this.failure) throw this.failure;
      this.check();
      return undefined;
    } catch (error) {
      if (error instanceof Violation) return { invariant: error.invariant, message: error.message };
      return {
        invariant: 'no unexpected error',
        message: error instanceof Error ? String(error.stack) : String(error),
      };
    } finally {
      process.off('unhandledRejection', fail);
    }
  }

  private prepare(): void {
    const { rpc, shop, provider } = this.world;
    rpc.serve(CatalogServiceService, shop, { batchGetVariants: offers });
    provider.deliver = (payload) => this.deliver(payload);
    for (const database of this.world.databases.values()) database.onBug = (error) => (this.failure ??= error);
    for (const [sku, units] of this.opening.stock) this.history.received.set(sku, units);
  }

  private async play(): Promise<void> {
    const { world, opening } = this;
    const { network } = world;
    const { weather } = network;
    network.calmDown();
    this.nemesis.setClocks();
    world.startAll();
    await this.shop.pause(OPENING_MS);
    for (const [sku, onHand] of opening.stock) await this.stockUp(sku, onHand);
    network.weather = weather;
    const troubleMs = this.random.between(SHORTEST_TROUBLE_MS, LONGEST_TROUBLE_MS);
    this.nemesis.begin(troubleMs);
    const buyers = Promise.all(opening.buyers.map((_, index) => this.send(index)));
    await this.shop.pause(troubleMs);
    this.nemesis.end();
    await buyers;
    await this.rest.await();
  }

  private stockUp(sku: string, onHand: number) {
    const request = { sku, onHand, expectedVersion: 0, requestId: `opening-${sku}` };
    return this.shop.persistently(staff(), 5, () => this.shop.inventory.setStock(request));
  }

  private async send(index: number): Promise<void> {
    const buyer = this.opening.buyers[index];
    if (!buyer) return;
    await this.shop.pause(buyer.atMs);
    const { shop, history } = this;
    await new Buyer(`buyer-${index + 1}`, buyer.plan, { shop, history, random: this.random }).run();
  }

  private async deliver(payload: string): Promise<boolean> {
    const signature = signatureOf(payload, WEBHOOK_SECRET, this.world.scheduler.now);
    const notice = { payload: Buffer.from(payload), signature };
    const deliver = () => this.shop.payments.receiveWebhook(notice);
    return this.shop.once(GUEST, deliver).then(
      () => true,
      () => false,
    );
  }

  private check(): void {
    const { world, history } = this;
    checkOrders(world, history);
    checkStock(world, history);
    checkMoney(world);
    checkEvents(world, this.watch.facts);
  }
}

async function offers({ skus }: { skus: string[] }) {
  const price = { amount: PRICE, currency: 'USD' };
  return { variants: skus.map((sku) => ({ sku, productId: 'p', title: sku, price })) };
}
