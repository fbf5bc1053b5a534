export { DomainError, hasReason, invalid, isDomainError } from './domain-error.js';
export type { DomainErrorInit, ErrorKind, FieldViolation } from './domain-error.js';
export { oneLine } from './one-line.js';
