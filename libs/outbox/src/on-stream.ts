// Which events the broker still has. An event is on the stream when the message at its place bears its id: places are
// given anew when a stream is lost and made again.
import { storedMessage, streamName, type EventBus } from '@souk/events';

/** An event and the place that the broker acknowledged; no place where an older release sent it. */
export interface LocatedEvent {
  id: string;
  type: string;
  stream_sequence: bigint | null;
}

const AT_ONCE = 64;

/** Those of the events that the broker has lost, or that cannot be looked for. */
export async function lostEvents<E extends LocatedEvent>(bus: EventBus, events: readonly E[]): Promise<E[]> {
  const found = await inSlices(events, (event) => isOnStream(bus, event));
  return events.filter((_, index) => !found[index]);
}

/** Does the work for all items, some of them at a time; answers in their order. */
export async function inSlices<I, O>(items: readonly I[], work: (item: I) => Promise<O>): Promise<O[]> {
  const results: O[] = [];
  for (let index = 0; index < items.length; index += AT_ONCE) {
    results.push(...(await Promise.all(items.slice(index, index + AT_ONCE).map(work))));
  }
  return results;
}

async function isOnStream(bus: EventBus, { id, type, stream_sequence: place }: LocatedEvent): Promise<boolean> {
  if (place === null) return false;
  const message = await storedMessage(bus, streamName(type), { seq: Number(place) });
  return message?.header.get('ce-id') === id;
}
