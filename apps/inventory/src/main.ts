import { runService } from '@souk/service';
import { inventoryConfig } from './config.js';
import { inventoryService } from './service.js';

await runService('inventory', () => inventoryService(inventoryConfig()));
