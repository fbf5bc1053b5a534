import { runService } from '@souk/rpc';
import { inventoryConfig } from './config.js';
import { inventoryService } from './service.js';

await runService('inventory', () => inventoryService(inventoryConfig()));
