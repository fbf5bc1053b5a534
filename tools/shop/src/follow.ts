// Follows a stream of server-sent events to its end. A connection that breaks is taken up again after the last event.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Api } from './api.ts';
import { ProblemError, unreachable, type Problem } from './exit-codes.ts';
import { serverEvents } from './sse.ts';

const TRIES = 5;
const PAUSE_MS = 1_000;

export interface Followed {
  event: string;
  /** JSON where it is JSON, else the text. */
  data: unknown;
}

/** Yields each event once. A stream that ends is opened again while `unfinished` says so of its last event. */
export async function* follow(
  api: Api,
  path: string,
  call: { token?: string },
  unfinished: (data: unknown) => boolean,
): AsyncGenerator<Followed> {
  let lastId = '';
  let last: unknown;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const headers = { accept: 'text/event-stream', ...(lastId ? { 'last-event-id': lastId } : {}) };
    const response = await api.open(path, { ...call, headers, timeoutMs: Infinity });
    if (!response.ok) throw new ProblemError((await response.json()) as Problem);
    try {
      for await (const { id, event, data } of serverEvents(textOf(response))) {
        // A stream that was taken up again starts with what is known already.
        tries = 0;
        if (id !== '' && id === lastId) continue;
        [lastId, last] = [id, value(data)];
        yield { event, data: last };
      }
      if (!unfinished(last)) return;
    } catch (error) {
      // What breaks on the way is a TypeError.
      if (!(error instanceof TypeError)) throw error;
    }
    await sleep(PAUSE_MS);
  }
  throw unreachable(api.url);
}

async function* textOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  if (!response.body) return;
  for await (const bytes of response.body) yield decoder.decode(bytes as Uint8Array, { stream: true });
}

function value(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    return data;
  }
}
