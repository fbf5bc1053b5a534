export { Batcher } from './batcher.js';
export type { BatcherOptions } from './batcher.js';
