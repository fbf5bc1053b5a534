export { Checks } from './check.js';
export type { Check, CheckResult, Finding } from './check.js';
export { deadLettersCheck } from './dead-letters.check.js';
export { OperationsGrpc } from './operations.grpc.js';
export type { OperationsParts } from './operations.grpc.js';
export { outboxStreamCheck } from './outbox-stream.check.js';
export { Reconciler } from './reconciler.js';
export type { ReconcilerOptions, Report } from './reconciler.js';
