import { runService } from '@souk/service';
import { paymentsConfig } from './config.js';
import { paymentsService } from './service.js';

await runService('payments', () => paymentsService(paymentsConfig()));
