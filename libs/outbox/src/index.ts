export type { Audit } from './audit.js';
export { appendToOutbox, outboxEvent } from './outbox.js';
export type { JsonCodec, OutboxEvent } from './outbox.js';
export { OutboxRelay } from './outbox-relay.js';
export type { OutboxRelayOptions } from './outbox-relay.js';
export type { Rebuilt } from './rebuild-stream.js';
export { holdOutbox, redactOutbox, redactStreams } from './redact-events.js';
export type { Redact, RedactedEvents } from './redact-events.js';
