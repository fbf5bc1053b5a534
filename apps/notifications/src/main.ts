import { constants, setPriority } from 'node:os';
import { runService } from '@souk/service';
import { notificationsConfig } from './config.js';
import { notificationsService } from './service.js';

// Nobody waits for a mail as somebody waits for an order: where the processor is short, the others go first.
setPriority(constants.priority.PRIORITY_BELOW_NORMAL);

await runService('notifications', () => notificationsService(notificationsConfig()));
