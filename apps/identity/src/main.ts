import { runService } from '@souk/service';
import { identityConfig } from './config.js';
import { identityService } from './service.js';

await runService('identity', () => identityService(identityConfig()));
