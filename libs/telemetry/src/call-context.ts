// What is known about the call being worked on, without passing it through every function. Guarantees: everything that
// is awaited inside of `runInContext` sees that context. Work that is not part of a call sees a fresh background context:
// a new trace, no user, no deadline.
import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { newTraceparent } from './trace.js';

/** The call, or the event, that is being worked on. */
export interface CallContext {
  requestId: string;
  traceparent: string;
  /** When the caller stops waiting. */
  deadline?: Date;
  /** The end user's access token, passed on to other services. */
  userToken?: string;
  /** On whose behalf the call is made; its type belongs to @souk/auth. */
  principal?: unknown;
  /** Name of the Souk service that calls; absent where the caller did not prove to be one. */
  caller?: string;
  /** Address that the first request came from: the browser's or program's. */
  source?: string;
}

const storage = new AsyncLocalStorage<CallContext>();

/** The present call's context; outside of a call a fresh background context. */
export function callContext(): CallContext {
  return storage.getStore() ?? { requestId: newRequestId(), traceparent: newTraceparent() };
}

/** A request id for a call that came without one. */
export function newRequestId(): string {
  return randomUUID();
}

/** The present call's context, or undefined outside of a call. */
export function currentContext(): CallContext | undefined {
  return storage.getStore();
}

/** Runs `work`, and all that it awaits, in the given context. */
export function runInContext<T>(context: CallContext, work: () => T): T {
  return storage.run(context, work);
}
