// Trace ids in the W3C form `00-<trace>-<span>-<flags>`. A malformed one from outside starts a new trace and is never passed on.
import { randomUUID } from 'node:crypto';

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
const SAMPLED = 1;

/** Starts a trace. */
export function newTraceparent(): string {
  return `00-${randomUUID().replaceAll('-', '')}-${newSpanId()}-01`;
}

/** The next span of the parent's trace; a new trace where the parent is missing or malformed. */
export function childTraceparent(parent: string | undefined): string {
  const parts = parent ? TRACEPARENT.exec(parent) : undefined;
  return parts ? `00-${parts[1]}-${newSpanId()}-${parts[3]}` : newTraceparent();
}

/** The trace id (32 hex digits), or undefined where the text is no traceparent. */
export function traceIdOf(traceparent: string): string | undefined {
  return TRACEPARENT.exec(traceparent)?.[1];
}

/** False where whoever began the trace decided that nobody looks at it. */
export function isSampled(traceparent: string): boolean {
  const flags = TRACEPARENT.exec(traceparent)?.[3];
  return flags === undefined || (parseInt(flags, 16) & SAMPLED) === SAMPLED;
}

/** What the text is made of, or undefined where it is no traceparent. */
export function partsOf(traceparent: string): { traceId: string; spanId: string; traceFlags: number } | undefined {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent) ?? [];
  return traceId && spanId && flags ? { traceId, spanId, traceFlags: parseInt(flags, 16) & SAMPLED } : undefined;
}

// The random bits of a UUID, which Node draws in advance: a fraction of what asking for eight bytes costs.
function newSpanId(): string {
  const uuid = randomUUID();
  return uuid.slice(0, 8) + uuid.slice(24, 32);
}
