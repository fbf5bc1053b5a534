export { sourceOf } from './client-address.js';
export { emailKey, tidyAddress } from './email-address.js';
export { BUILT_IN_ROLES, isBuiltInRole, isPermission, PERMISSIONS, type Permission, type Role } from './permissions.js';
export {
  GUEST,
  may,
  subjectOf,
  userIdOf,
  type Client,
  type Enrolling,
  type Guest,
  type Principal,
  type User,
} from './principal.js';
export { READS, recordingOf, type Recording } from './recording.js';
export { Allow, authorize, GATEWAY, Privileged, privilegeOf, rulesOf, type Rule } from './rules.js';
export { ENROLMENT_AUDIENCE } from './token-claims.js';
export { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER, TokenVerifier, type KeySource } from './token-verifier.js';
