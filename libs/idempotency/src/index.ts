export { claimOnce } from './claim.js';
export type { AnswerCodec, Claim, Claimed } from './claim.js';
export { ClaimsPruner } from './claims-pruner.js';
export { fingerprintOf } from './fingerprint.js';
