export type { DeadLetter } from './dead-letter.js';
export { DeadLetters } from './dead-letters.js';
export type { DeadLettersOptions, LetterFilter } from './dead-letters.js';
export { EventConsumer } from './event-consumer.js';
export type { EventConsumerOptions } from './event-consumer.js';
export type { ReceivedEvent } from './received-event.js';
export type { AnyConsumer, ReplayCount } from './redelivery.js';
export { replayEvents } from './replay-events.js';
export type { ReplayRange } from './replay-events.js';
