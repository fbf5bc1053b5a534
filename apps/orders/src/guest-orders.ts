/**
 * Orders that were placed as a guest and come to the account that proved their address. Guarantees: an order comes to one
 * account, once, and only to one that identity vouched for after the order was placed; so it does not matter in which order
 * proofs of one address arrive, how late, or how often. The order's token goes on opening it.
 */
import type { User } from '@souk/auth';
import { emailKey, tidyAddress } from '@souk/auth';
import { DomainError } from '@souk/errors';
import type { Database, Queryable } from '@souk/postgres';
import type { IdentityServiceService } from '@souk/proto/identity/v1';
import type { RpcClient } from '@souk/rpc';
import { GIVE_TO_CUSTOMER } from './orders.statements.js';

/** Somebody proved an address. */
export interface ProvedAddress {
  readonly userId: string;
  readonly email: string;
  /** Orders that were placed later are not decided by this proof. */
  readonly time: Date;
}

export type IdentityPort = Pick<RpcClient<typeof IdentityServiceService>, 'getUser'>;

/** Orders that change in one statement. */
const BATCH = 500;

export class GuestOrders {
  constructor(
    private readonly database: Database,
    private readonly identity: IdentityPort,
    private readonly now: () => Date,
  ) {}

  /**
   * Gives the caller the orders of the address that is theirs now. The access token is not asked: it may be older than the
   * proof, or than the moment in which the address became another's.
   * @returns how many came
   * @throws DomainError EMAIL_NOT_VERIFIED
   */
  async claim({ userId }: Pick<User, 'userId'>): Promise<number> {
    const time = this.now();
    const { user } = await this.identity.getUser({ userId: '' });
    if (user?.userId !== userId || !user.emailVerified || !user.email) throw emailNotVerified();
    return giveOrders(this.database, { userId, email: user.email, time });
  }
}

/**
 * Gives the account the guests' orders of an address.
 * @returns how many came
 */
export async function giveOrders(on: Queryable, { userId, email, time }: ProvedAddress): Promise<number> {
  // Taken out of the event since: whoever proved it is erased, or has what was theirs.
  if (!email) return 0;
  const values = [userId, emailKey(tidyAddress(email)), time, BATCH];
  for (let given = 0; ;) {
    const rows = await on.query<{ order_id: string }>(GIVE_TO_CUSTOMER, values);
    given += rows.length;
    if (rows.length < BATCH) return given;
  }
}

function emailNotVerified(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'EMAIL_NOT_VERIFIED',
    message: 'Prove first that the address of your account is yours, by the link that was mailed there.',
  });
}
