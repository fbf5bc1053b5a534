import { OperationsGrpc } from '@souk/operations';
import { type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import type { IdentityConfig } from './config.js';
import { CONTROLLERS } from './controllers.js';
import { IdentityModule } from './identity.module.js';
import { SigningKeys } from './tokens/signing-keys.js';

/** The whole service, as its process and its tests start it. The keys that it verifies tokens with are its own. */
export function identityService(config: IdentityConfig): ServiceOptions {
  const logger = createLogger('identity');
  return {
    name: 'identity',
    module: IdentityModule.with(config, logger),
    controllers: [...CONTROLLERS, OperationsGrpc],
    host: config.GRPC_HOST,
    port: config.GRPC_PORT,
    serviceToken: config.SOUK_SERVICE_TOKEN,
    signingKeys: async (get) => (await get(SigningKeys).published()).map(({ jwk }) => jwk),
    logger,
  };
}
