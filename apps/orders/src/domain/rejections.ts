import type { Rejection, Shortage } from './order.js';

export function stockShort(shortages: readonly Shortage[]): Rejection {
  const skus = shortages.map(({ sku, requested, available }) => `${sku} (${requested} wanted, ${available} left)`);
  return { reason: 'STOCK_SHORT', message: `Not enough in stock: ${skus.join(', ')}.`, shortages };
}

/** @param declineCode what the provider said, for example `insufficient_funds` */
export function paymentDeclined(declineCode: string): Rejection {
  return { reason: 'PAYMENT_DECLINED', message: 'The card was declined. Try another way to pay.', declineCode };
}
