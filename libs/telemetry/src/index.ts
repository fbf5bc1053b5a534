export { callContext, currentContext, newRequestId, runInContext } from './call-context.js';
export type { CallContext } from './call-context.js';
export { createLogger } from './logger.js';
export type { Logger } from './logger.js';
export { metrics, metricsText } from './metrics.js';
export type { Counter, Gauge, Histogram } from './metrics.js';
export { nestLogger } from './nest-logger.js';
export { childTraceparent, newTraceparent, traceIdOf } from './trace.js';
