// Trace ids in the W3C form `00-<trace>-<span>-01`. A malformed one from outside starts a new trace and is never passed on.
import { randomBytes } from 'node:crypto';

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Starts a trace. */
export function newTraceparent(): string {
  const ids = randomBytes(24).toString('hex');
  return `00-${ids.slice(0, 32)}-${ids.slice(32)}-01`;
}

/** The next span of the parent's trace; a new trace where the parent is missing or malformed. */
export function childTraceparent(parent: string | undefined): string {
  const traceId = parent ? traceIdOf(parent) : undefined;
  return traceId ? `00-${traceId}-${randomBytes(8).toString('hex')}-01` : newTraceparent();
}

/** The trace id (32 hex digits), or undefined where the text is no traceparent. */
export function traceIdOf(traceparent: string): string | undefined {
  return TRACEPARENT.exec(traceparent)?.[1];
}
