export { Checks } from './check.js';
export type { Check, CheckResult, Finding } from './check.js';
