import { proofOf } from '@souk/config';
import { OperationsGrpc } from '@souk/operations';
import { identityKeys } from '@souk/rpc';
import { listening, type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import { CatalogGrpc } from './catalog.grpc.js';
import { CatalogModule } from './catalog.module.js';
import type { CatalogConfig } from './config.js';

/** The whole service, as its process and its tests start it. */
export function catalogService(config: CatalogConfig): ServiceOptions {
  const logger = createLogger('catalog');
  return {
    name: 'catalog',
    module: CatalogModule.with(config, logger),
    controllers: [CatalogGrpc, OperationsGrpc],
    ...listening(config),
    signingKeys: identityKeys({ address: config.SOUK_IDENTITY_ADDRESS, caller: 'catalog', ...proofOf(config) }),
    logger,
  };
}
