// Trace ids in the W3C form `00-<trace>-<span>-01`. A malformed one from outside starts a new trace and is never passed on.
import { randomUUID } from 'node:crypto';

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Starts a trace. */
export function newTraceparent(): string {
  return `00-${randomUUID().replaceAll('-', '')}-${newSpanId()}-01`;
}

/** The next span of the parent's trace; a new trace where the parent is missing or malformed. */
export function childTraceparent(parent: string | undefined): string {
  const traceId = parent ? traceIdOf(parent) : undefined;
  return traceId ? `00-${traceId}-${newSpanId()}-01` : newTraceparent();
}

/** The trace id (32 hex digits), or undefined where the text is no traceparent. */
export function traceIdOf(traceparent: string): string | undefined {
  return TRACEPARENT.exec(traceparent)?.[1];
}

// The random bits of a UUID, which Node draws in advance: a fraction of what asking for eight bytes costs.
function newSpanId(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(24, 32);
}
