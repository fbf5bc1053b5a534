export { dataFields, listening, serviceFields, type DataConfig } from './config.js';
export { Consumers } from './consumers.js';
export { DataModule, type DataOptions } from './data.module.js';
export { operations } from './operations.js';
export { runService, startService, type RunningService, type ServiceOptions } from './service.js';
