export { AuditGrpc } from './audit.grpc.js';
export { AuditTrail, type AuditTrailOptions } from './audit-trail.js';
