import { proofOf } from '@souk/config';
import { OperationsGrpc } from '@souk/operations';
import { PrivacyGrpc } from '@souk/privacy';
import { identityKeys } from '@souk/rpc';
import { listening, type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import type { NotificationsConfig } from './config.js';
import { NotificationsGrpc } from './notifications.grpc.js';
import { NotificationsModule } from './notifications.module.js';

/** The whole service, as its process and its tests start it. */
export function notificationsService(config: NotificationsConfig): ServiceOptions {
  const logger = createLogger('notifications');
  return {
    name: 'notifications',
    module: NotificationsModule.with(config, logger),
    controllers: [NotificationsGrpc, OperationsGrpc, PrivacyGrpc],
    ...listening(config),
    signingKeys: identityKeys({ address: config.SOUK_IDENTITY_ADDRESS, caller: 'notifications', ...proofOf(config) }),
    logger,
  };
}
