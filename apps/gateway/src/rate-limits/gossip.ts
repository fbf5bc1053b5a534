/**
 * What replicas tell each other about usage: who speaks, and by how much which counters grew. Guarantees: no name of a client and no
 * address is in it, only digests under a secret that the replicas share; what was not said under that secret is not believed.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

export const REPLICA_BYTES = 8;
const DIGEST_BYTES = 8;
const ENTRY_BYTES = DIGEST_BYTES + 4;
const TAG_BYTES = 16;
const MOST = 0xffff_ffff;
/** One message is at most 48 KiB. */
export const MOST_ENTRIES = 4_096;

export interface Told {
  /** `REPLICA_BYTES` bytes as latin1. */
  readonly replica: string;
  readonly grown: readonly (readonly [digest: string, count: number])[];
}

/** Under what name a counter is known to all replicas. */
export function digestOf(secret: string, key: string): string {
  return mac(secret, 'counter', Buffer.from(key)).toString('latin1', 0, DIGEST_BYTES);
}

export function encode(secret: string, { replica, grown }: Told): Buffer {
  const body = Buffer.alloc(REPLICA_BYTES + grown.length * ENTRY_BYTES);
  body.write(replica, 0, 'latin1');
  grown.forEach(([digest, count], index) => {
    const offset = REPLICA_BYTES + index * ENTRY_BYTES;
    body.write(digest, offset, 'latin1');
    body.writeUInt32BE(Math.min(count, MOST), offset + DIGEST_BYTES);
  });
  return Buffer.concat([tagOf(secret, body), body]);
}

/** Undefined for what no replica with this secret said. */
export function decode(secret: string, data: Uint8Array): Told | undefined {
  const message = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  const body = message.subarray(TAG_BYTES);
  const count = (body.length - REPLICA_BYTES) / ENTRY_BYTES;
  if (!Number.isInteger(count) || count < 0 || count > MOST_ENTRIES) return undefined;
  if (!timingSafeEqual(message.subarray(0, TAG_BYTES), tagOf(secret, body))) return undefined;
  const grown = Array.from({ length: count }, (_, index) => {
    const offset = REPLICA_BYTES + index * ENTRY_BYTES;
    const digest = body.toString('latin1', offset, offset + DIGEST_BYTES);
    return [digest, body.readUInt32BE(offset + DIGEST_BYTES)] as const;
  });
  return { replica: body.toString('latin1', 0, REPLICA_BYTES), grown };
}

function tagOf(secret: string, body: Buffer): Buffer {
  return mac(secret, 'message', body).subarray(0, TAG_BYTES);
}

function mac(secret: string, purpose: string, data: Buffer): Buffer {
  return createHmac('sha256', secret).update(`souk rate limits: ${purpose}\n`).update(data).digest();
}
