export { GUEST, isStaff, userIdOf, type Guest, type Principal, type Role, type User } from './principal.js';
export { Allow, authorize, rulesOf, type Rule } from './rules.js';
export { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER, TokenVerifier, type KeySource } from './token-verifier.js';
