export { soukVersion } from './version.js';
export { advertisedHost } from './advertised-host.js';
export { Registry, type RegistryOptions } from './registry.js';
export type { RegisteredInstance, RegisteredState } from './registered-instance.js';
