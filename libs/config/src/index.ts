export { proofFields, proofOf, requireProtection, type Proof } from './proof.js';
export { effectiveConfig, type Variable } from './effective.js';
export { ConfigError, loadConfig } from './load-config.js';
export { address, flag, port, secret, wholeNumber } from './fields.js';
