// What a request asks for, in a few bytes. Guarantees: the same content gives the same digest in every process, whatever
// the order of its fields; another content gives another one.
import { createHash } from 'node:crypto';

/**
 * Digest of a request. Give a message as its canonical JSON, `fingerprintOf(PlaceOrderRequest.toJSON(request))`: it leaves
 * out what has its default, so a newer release that knows one more field finds the same digest for an older request.
 */
export function fingerprintOf(request: unknown): string {
  return createHash('sha256').update(canonical(request)).digest('base64url');
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (typeof part === 'bigint') return part.toString();
    return isRecord(part) ? sorted(part) : part;
  });
}

function sorted(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
