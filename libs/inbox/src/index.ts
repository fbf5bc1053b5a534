export { EventConsumer } from './event-consumer.js';
export type { EventConsumerOptions } from './event-consumer.js';
export type { ReceivedEvent } from './received-event.js';
