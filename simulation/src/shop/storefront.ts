/** The shop as its customers and its staff reach it. What got no answer is asked again with the same key. */
import { GUEST, type Principal } from '@souk/auth';
import { isDomainError } from '@souk/errors';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { CartsServiceService, OrdersServiceService } from '@souk/proto/orders/v1';
import { PaymentsServiceService } from '@souk/proto/payments/v1';
import { runInContext } from '@souk/telemetry';
import type { World } from '../world.ts';

const LONGEST_CALL_MS = 10_000;
const PASSING = ['unavailable', 'exhausted'];

export class Storefront {
  readonly world: World;
  readonly orders;
  readonly carts;
  readonly inventory;
  readonly payments;
  private calls = 0;

  constructor(world: World) {
    this.world = world;
    this.orders = world.rpc.client(OrdersServiceService, world.shop, 'gateway');
    this.carts = world.rpc.client(CartsServiceService, world.shop, 'gateway');
    this.inventory = world.rpc.client(InventoryServiceService, world.shop, 'gateway');
    this.payments = world.rpc.client(PaymentsServiceService, world.shop, 'gateway');
  }

  pause(ms: number): Promise<void> {
    return this.world.scheduler.sleep(ms, this.world.shop);
  }

  /** One call on somebody's behalf. */
  once<T>(principal: Principal, call: () => Promise<T>): Promise<T> {
    const requestId = `request-${(this.calls += 1)}`;
    const deadline = new Date(Date.now() + LONGEST_CALL_MS);
    return runInContext({ requestId, traceparent: traceOf(this.calls), principal, deadline }, call);
  }

  /**
   * Asks until there is an answer, or until the shop says no.
   * @returns undefined where there was none after so many tries
   */
  async persistently<T>(principal: Principal, tries: number, call: () => Promise<T>): Promise<T | undefined> {
    for (let attempt = 1; attempt <= tries; attempt += 1) {
      try {
        return await this.once(principal, call);
      } catch (error) {
        if (isDomainError(error) && !PASSING.includes(error.kind)) throw error;
        await this.pause(this.world.random.between(200, 3_000));
      }
    }
    return undefined;
  }
}

export function customer(userId: string): Principal {
  const email = `${userId}@example.com`;
  return { kind: 'user', userId, email, emailVerified: true, roles: ['customer'], permissions: [], sessionId: userId };
}

export function staff(): Principal {
  return { ...customer('00000000-0000-4000-8000-00000000000f'), roles: ['staff'] } as Principal;
}

export { GUEST };

function traceOf(call: number): string {
  return `00-${call.toString(16).padStart(32, '0')}-${call.toString(16).padStart(16, '0')}-01`;
}
