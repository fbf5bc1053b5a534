import { runService } from '@souk/service';
import { loadIdentityConfig } from './config.js';
import { identityService } from './identity.module.js';

await runService('identity', () => identityService(loadIdentityConfig()));
