import { runService } from '@souk/rpc';
import { loadIdentityConfig } from './config.js';
import { identityService } from './identity.module.js';

await runService('identity', () => identityService(loadIdentityConfig()));
