import type { Rejection, Shortage } from './order.js';

export function stockShort(shortages: readonly Shortage[]): Rejection {
  const skus = shortages.map(({ sku, requested, available }) => `${sku} (${requested} wanted, ${available} left)`);
  return { reason: 'STOCK_SHORT', message: `Not enough in stock: ${skus.join(', ')}.`, shortages };
}

/** @param declineCode what the provider said, for example `insufficient_funds` */
export function paymentDeclined(declineCode: string): Rejection {
  return { reason: 'PAYMENT_DECLINED', message: 'The card was declined. Try another way to pay.', declineCode };
}

/** Too many cards were declined; this one was not tried. */
export function paymentAttemptsExceeded(retryTime: Date): Rejection {
  return {
    reason: 'PAYMENT_ATTEMPTS_EXCEEDED',
    message: 'Too many cards were declined. Try again later, or another way to pay.',
    retryTime: retryTime.toISOString(),
  };
}
