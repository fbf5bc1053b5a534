import { CatalogServiceService } from '@souk/proto/catalog/v1';
import { IdentityServiceService, User } from '@souk/proto/identity/v1';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { Payment, PaymentsServiceService, type Payment_State } from '@souk/proto/payments/v1';
import { fakeService } from '@souk/testing';

const PRICES: Readonly<Record<string, bigint>> = { 'LAMP-BRASS': 12_900n, 'NECKLACE-SILVER': 4_299n };

/** Identity, catalogue, inventory and payments as real gRPC servers that answer what a test wants. Stock is plenty, cards are good. */
export async function startNeighbours() {
  const catalog = await fakeService(CatalogServiceService, {
    batchGetVariants: ({ skus }) => ({
      variants: skus
        .filter((sku) => sku in PRICES)
        .map((sku) => ({ sku, productId: 'p', title: sku, price: { amount: PRICES[sku] ?? 0n, currency: 'USD' } })),
    }),
  });
  const inventory = await fakeService(InventoryServiceService, {
    holdStock: () => ({ state: 'STATE_HELD' as const, shortages: [] }),
    releaseStock: () => ({ state: 'STATE_RELEASED' as const }),
    holdCart: () => ({ shortages: [], expireTime: new Date('2030-01-02T03:04:05.000Z') }),
    releaseCart: () => ({}),
    batchGetHolds: () => ({ holds: [] }),
    listHolds: () => ({ holds: [], nextPageToken: '' }),
  });
  const payments = await fakeService(PaymentsServiceService, {
    authorizePayment: () => paymentIn('STATE_AUTHORIZED'),
    cancelPayment: () => paymentIn('STATE_VOIDED'),
    batchGetPayments: () => ({ payments: [] }),
  });
  const identity = await fakeService(IdentityServiceService, { getUser: () => userWith({ emailVerified: false }) });
  const close = () => Promise.all([identity, catalog, inventory, payments].map((fake) => fake.close()));
  return { identity, catalog, inventory, payments, close };
}

export type Neighbours = Awaited<ReturnType<typeof startNeighbours>>;

export function paymentIn(state: Payment_State, declineCode = '') {
  return { payment: Payment.fromPartial({ state, declineCode }) };
}

/** What identity says of somebody. */
export function userWith(change: Partial<User>) {
  return { user: User.fromPartial({ emailVerified: true, ...change }) };
}
