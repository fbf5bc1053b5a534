import { proofOf } from '@souk/config';
import { OperationsGrpc } from '@souk/operations';
import { identityKeys } from '@souk/rpc';
import { listening, type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import type { InventoryConfig } from './config.js';
import { InventoryGrpc } from './inventory.grpc.js';
import { InventoryModule } from './inventory.module.js';

/** The whole service, as its process and its tests start it. */
export function inventoryService(config: InventoryConfig): ServiceOptions {
  const logger = createLogger('inventory');
  return {
    name: 'inventory',
    module: InventoryModule.with(config, logger),
    controllers: [InventoryGrpc, OperationsGrpc],
    ...listening(config),
    signingKeys: identityKeys({ address: config.SOUK_IDENTITY_ADDRESS, caller: 'inventory', ...proofOf(config) }),
    logger,
  };
}
