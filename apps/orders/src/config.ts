import { address, loadConfig, secret, wholeNumber } from '@souk/config';
import { dataFields, serviceFields } from '@souk/service';

/** What the service reads from its environment. */
export function ordersConfig() {
  return loadConfig({
    ...serviceFields,
    ...dataFields,
    /** Makes the access tokens of guests' orders; changing it locks guests out of theirs. */
    SOUK_ORDER_TOKEN_SECRET: secret(),
    /** How long a buyer waits for the outcome before he is told 202. */
    SOUK_ORDER_WAIT_MS: wholeNumber().default(5_000),
    /** How long an order may stay with a process that does not move it on; longer than all steps of its saga take. */
    SOUK_SAGA_LEASE_MS: wholeNumber().default(30_000),
    /** How long the stock of a cart is held where its buyer asks for that. */
    SOUK_ORDER_CART_HOLD_SECONDS: wholeNumber().min(1).max(3_600).default(600),
    SOUK_IDENTITY_ADDRESS: address(),
    SOUK_CATALOG_ADDRESS: address(),
    SOUK_INVENTORY_ADDRESS: address(),
    SOUK_PAYMENTS_ADDRESS: address(),
  });
}

export type OrdersConfig = ReturnType<typeof ordersConfig>;
