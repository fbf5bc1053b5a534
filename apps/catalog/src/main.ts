import { setFlagsFromString } from 'node:v8';
import { runService } from '@souk/service';
import { catalogConfig } from './config.js';
import { catalogService } from './service.js';

// An import makes much that lives for a moment only. V8 would set 96 MB aside for it instead of clearing up more often.
setFlagsFromString('--semi-space-growth-factor=1');

await runService('catalog', () => catalogService(catalogConfig()));
