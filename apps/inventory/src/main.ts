import 'reflect-metadata';
import { identityKeys, runService } from '@souk/rpc';
import { readConfig } from './config.js';
import { InventoryGrpc } from './inventory.grpc.js';
import { InventoryModule } from './inventory.module.js';

const config = readConfig();

await runService({
  name: 'inventory',
  module: InventoryModule,
  controllers: [InventoryGrpc],
  host: config.GRPC_HOST,
  port: config.GRPC_PORT,
  serviceToken: config.SOUK_SERVICE_TOKEN,
  signingKeys: identityKeys({
    address: config.SOUK_IDENTITY_ADDRESS,
    caller: 'inventory',
    serviceToken: config.SOUK_SERVICE_TOKEN,
  }),
});
