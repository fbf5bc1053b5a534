import { proofOf } from '@souk/config';
import { OperationsGrpc } from '@souk/operations';
import { PrivacyGrpc } from '@souk/privacy';
import { identityKeys } from '@souk/rpc';
import { listening, type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import { CartsGrpc } from './carts.grpc.js';
import type { OrdersConfig } from './config.js';
import { OrdersGrpc } from './orders.grpc.js';
import { OrdersModule } from './orders.module.js';

/** The whole service, as its process and its tests start it. */
export function ordersService(config: OrdersConfig): ServiceOptions {
  const logger = createLogger('orders');
  return {
    name: 'orders',
    module: OrdersModule.with(config, logger),
    controllers: [OrdersGrpc, CartsGrpc, OperationsGrpc, PrivacyGrpc],
    ...listening(config),
    signingKeys: identityKeys({ address: config.SOUK_IDENTITY_ADDRESS, caller: 'orders', ...proofOf(config) }),
    logger,
  };
}
