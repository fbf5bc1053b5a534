/**
 * An order's changes as server-sent events: first the order as it is, then each change. The stream ends with the order's
 * last state, a minute after the last change of an order that is settled, with the client, and when the gateway stops;
 * who wants more connects again and gets the present order first, so that nothing is missed. A service that is away for a
 * moment does not end it. The number of streams is bounded.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { DomainError, isDomainError } from '@souk/errors';
import type { GetOrderRequest, Order } from '@souk/proto/orders/v1';
import { callContext, runInContext } from '@souk/telemetry';
import { ORDERS, type OrdersClient } from '../clients.js';
import type { GatewayConfig } from '../config.js';
import { CONFIG } from '../tokens.js';
import { required } from './fields.view.js';
import { orderView } from './orders.view.js';

const POLL_MS = 500;
const HEARTBEAT_MS = 15_000;
const SETTLED_IDLE_MS = 60_000;
const PENDING_IDLE_MS = 10 * 60_000;
const LAST_STATES: readonly Order['state'][] = [
  'STATE_REJECTED',
  'STATE_CANCELLED',
  'STATE_FULFILLED',
  'STATE_REFUNDED',
];

@Injectable()
export class OrderStreams implements OnModuleDestroy {
  private readonly stopping = new AbortController();
  private open = 0;

  constructor(
    @Inject(ORDERS) private readonly orders: OrdersClient,
    @Inject(CONFIG) private readonly config: GatewayConfig,
  ) {}

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /** @param gone aborted when the client leaves */
  events(request: GetOrderRequest, gone: AbortSignal): AsyncGenerator<string> {
    // The stream outlives the deadline of the request that opened it.
    const context = { ...callContext(), deadline: undefined };
    const read = () => runInContext(context, async () => required((await this.orders.getOrder(request)).order));
    return this.follow(read, AbortSignal.any([gone, this.stopping.signal]));
  }

  private async *follow(read: () => Promise<Order>, ended: AbortSignal): AsyncGenerator<string> {
    if (this.open >= this.config.maxEventStreams) throw tooManyStreams();
    this.open += 1;
    try {
      let order = await read();
      let [changedAt, toldAt] = [Date.now(), Date.now()];
      yield eventOf(order);
      while (goesOn(order, changedAt)) {
        await delay(POLL_MS, undefined, { signal: ended }).catch(() => undefined);
        if (ended.aborted) return;
        const now = await read().catch((error: unknown) => unlessAway(error, order));
        if (now.version !== order.version) {
          [order, changedAt, toldAt] = [now, Date.now(), Date.now()];
          yield eventOf(order);
        } else if (Date.now() - toldAt > HEARTBEAT_MS) {
          toldAt = Date.now();
          yield ': no news\n\n';
        }
      }
    } finally {
      this.open -= 1;
    }
  }
}

function goesOn({ state }: Order, changedAt: number): boolean {
  if (LAST_STATES.includes(state)) return false;
  return Date.now() - changedAt < (state === 'STATE_PENDING' ? PENDING_IDLE_MS : SETTLED_IDLE_MS);
}

function unlessAway(error: unknown, known: Order): Order {
  if (isDomainError(error) && error.kind === 'unavailable') return known;
  throw error;
}

function eventOf(order: Order): string {
  return `event: order\nid: ${order.version}\ndata: ${JSON.stringify(orderView(order))}\n\n`;
}

function tooManyStreams(): DomainError {
  return new DomainError({
    kind: 'unavailable',
    reason: 'TOO_MANY_STREAMS',
    message: 'Too many event streams are open. Try again, or read the order from time to time.',
  });
}
