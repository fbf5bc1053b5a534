/** The commands that mend what the checks find. */
import type { ComparedOrder } from './checks.store.js';

/** Lets an unfinished saga go on, and undoes an order that ended once more. */
export const resume = (orderId: string) => `npm run ops -- orders resume ${orderId}`;

export const releaseStock = (orderId: string) => `npm run ops -- stock release ${orderId}`;

export const syncPayment = (orderId: string) => `npm run ops -- payments sync ${orderId}`;

/** Hands the events since the order was placed to the consumer that missed one. */
export const replay = (consumer: string, { createTime }: ComparedOrder) =>
  `npm run ops -- events replay --consumer ${consumer} --from ${createTime.toISOString()}`;

/** There is no way to have what the order lacks; people decide, and this is what they do in most cases. */
export const cancel = (orderId: string) => `npm run shop -- cancel ${orderId}`;
