import { OperationsGrpc } from '@souk/operations';
import { identityKeys } from '@souk/rpc';
import { type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import type { NotificationsConfig } from './config.js';
import { NotificationsGrpc } from './notifications.grpc.js';
import { NotificationsModule } from './notifications.module.js';

/** The whole service, as its process and its tests start it. */
export function notificationsService(config: NotificationsConfig): ServiceOptions {
  const logger = createLogger('notifications');
  const serviceToken = config.SOUK_SERVICE_TOKEN;
  return {
    name: 'notifications',
    module: NotificationsModule.with(config, logger),
    controllers: [NotificationsGrpc, OperationsGrpc],
    host: config.GRPC_HOST,
    port: config.GRPC_PORT,
    serviceToken,
    signingKeys: identityKeys({ address: config.SOUK_IDENTITY_ADDRESS, caller: 'notifications', serviceToken }),
    logger,
  };
}
