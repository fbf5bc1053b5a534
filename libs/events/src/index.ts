export { decodeEvent, encodeEvent } from './envelope.js';
export type { EncodedEvent, EventEnvelope } from './envelope.js';
export { EventBus, connectEvents } from './event-bus.js';
export type { ConnectOptions } from './event-bus.js';
export { DEAD_LETTERS, serviceOf, streamName } from './names.js';
export { rewriteMessages } from './rewrite-messages.js';
export type { MessageHead, Rewriting } from './rewrite-messages.js';
export { isApiError, lastSequence, storedMessage } from './stored-message.js';
export { ensureDeadLetters, ensureStream } from './streams.js';
