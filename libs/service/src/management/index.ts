export { tellBuild } from './build-info.js';
export { managementFields, managementOf } from './config.js';
export { readyGauge } from './readiness.js';
export { startManagement, type Health, type ManagementOptions, type ManagementServer } from './server.js';
