import { proofOf } from '@souk/config';
import { OperationsGrpc } from '@souk/operations';
import { PrivacyGrpc } from '@souk/privacy';
import { identityKeys } from '@souk/rpc';
import { listening, type ServiceOptions } from '@souk/service';
import { createLogger } from '@souk/telemetry';
import type { PaymentsConfig } from './config.js';
import { PaymentsGrpc } from './payments.grpc.js';
import { PaymentsModule } from './payments.module.js';

/** The whole service, as its process and its tests start it. */
export function paymentsService(config: PaymentsConfig): ServiceOptions {
  const logger = createLogger('payments');
  return {
    name: 'payments',
    module: PaymentsModule.with(config, logger),
    controllers: [PaymentsGrpc, OperationsGrpc, PrivacyGrpc],
    ...listening(config),
    signingKeys: identityKeys({ address: config.SOUK_IDENTITY_ADDRESS, caller: 'payments', ...proofOf(config) }),
    logger,
  };
}
