import { runService } from '@souk/rpc';
import { ordersConfig } from './config.js';
import { ordersService } from './service.js';

await runService('orders', () => ordersService(ordersConfig()));
