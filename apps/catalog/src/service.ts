import { OperationsGrpc } from '@souk/operations';
import { identityKeys } from '@souk/rpc';
import { type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import { CatalogGrpc } from './catalog.grpc.js';
import { CatalogModule } from './catalog.module.js';
import type { CatalogConfig } from './config.js';

/** The whole service, as its process and its tests start it. */
export function catalogService(config: CatalogConfig): ServiceOptions {
  const logger = createLogger('catalog');
  const serviceToken = config.SOUK_SERVICE_TOKEN;
  return {
    name: 'catalog',
    module: CatalogModule.with(config, logger),
    controllers: [CatalogGrpc, OperationsGrpc],
    host: config.GRPC_HOST,
    port: config.GRPC_PORT,
    serviceToken,
    signingKeys: identityKeys({ address: config.SOUK_IDENTITY_ADDRESS, caller: 'catalog', serviceToken }),
    logger,
  };
}
