// What the end of a call says: of the call, whether it may be repeated, and of the instance, whether others should follow it there.
import { status, type ServiceError } from '@grpc/grpc-js';
import { errorInfoOf } from '../errors.js';

/**
 * - `answered`: the service has decided, whatever it was.
 * - `refused`: it was too busy to begin.
 * - `unfit`: it said that it cannot work now.
 * - `late`: no answer by the deadline.
 * - `lost`: the connection broke; it may have happened.
 * - `not sent`: it did not happen.
 */
export type Outcome = 'answered' | 'refused' | 'unfit' | 'late' | 'lost' | 'not sent';

/** Reason of a call that a server did not begin because it has too much to do. */
export const OVERLOADED = 'OVERLOADED';

/** An outage behind the service that answers: whoever met it has repeated the call already. */
const FURTHER_DOWN = new Set(['SERVICE_UNAVAILABLE', 'DEADLINE_EXCEEDED']);

export function outcomeOf(error: ServiceError): Outcome {
  const info = errorInfoOf(error);
  if (info) {
    if (info.reason === OVERLOADED) return 'refused';
    return error.code === status.UNAVAILABLE && !FURTHER_DOWN.has(info.reason) ? 'unfit' : 'answered';
  }
  if (error.code === status.DEADLINE_EXCEEDED) return 'late';
  if (error.code === status.CANCELLED) return 'lost';
  if (error.code === status.UNAVAILABLE) return wasNotSent(error) ? 'not sent' : 'lost';
  // A process that dies may end its streams before its connection.
  if (error.code === status.INTERNAL && error.details.startsWith('Received RST_STREAM')) return 'lost';
  return 'answered';
}

/** In the words of grpc-js, which tells it by no other means. */
function wasNotSent({ details }: ServiceError): boolean {
  return /^(No connection established|Name resolution)/.test(details);
}
