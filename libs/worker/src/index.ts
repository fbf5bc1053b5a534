export { WorkerLoop } from './worker-loop.js';
export type { Outcome, WorkerLoopOptions } from './worker-loop.js';
export { jobs, type Job } from './jobs.js';
