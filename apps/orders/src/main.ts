import { runService } from '@souk/service';
import { ordersConfig } from './config.js';
import { ordersService } from './service.js';

await runService('orders', () => ordersService(ordersConfig()));
