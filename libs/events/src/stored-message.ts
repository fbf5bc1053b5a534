import { JetStreamApiCodes, JetStreamApiError, type MsgRequest, type StoredMsg } from '@nats-io/jetstream';
import type { EventBus } from './event-bus.js';

/** One message of a stream; undefined where there is none such, also where there is no such stream. */
export async function storedMessage(bus: EventBus, stream: string, query: MsgRequest): Promise<StoredMsg | undefined> {
  try {
    return (await bus.jsm.streams.getMessage(bus.stream(stream), query)) ?? undefined;
  } catch (error) {
    if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return undefined;
    throw error;
  }
}

/** Place of the newest message that the stream ever had; 0 where there is none, also where there is no such stream. */
export async function lastSequence(bus: EventBus, stream: string): Promise<number> {
  try {
    return (await bus.jsm.streams.info(bus.stream(stream))).state.last_seq;
  } catch (error) {
    if (isApiError(error, JetStreamApiCodes.StreamNotFound)) return 0;
    throw error;
  }
}

/** True for the error of JetStream with that code. */
export function isApiError(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}
