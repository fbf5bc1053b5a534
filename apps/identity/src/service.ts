import { OperationsGrpc } from '@souk/operations';
import { listening, type ServiceOptions } from '@souk/service';
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
    ...listening(config),
    signingKeys: async (get) => (await get(SigningKeys).published()).map(({ jwk }) => jwk),
    logger,
  };
}
