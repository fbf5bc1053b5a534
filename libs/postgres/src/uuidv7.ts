// Identifiers that sort by the time of their making (RFC 9562, version 7), so that new rows lie side by side in an index.
// Guarantees: ids of one process never repeat and grow; ids of several processes are only roughly in order. Not secret.
import { randomFillSync } from 'node:crypto';

const random = new Uint8Array(8);
let lastMs = 0;
let counter = 0;

/** A new id. */
export function uuidv7(): string {
  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = 0;
  } else if (++counter > 0xfff) {
    // The millisecond is used up, or the clock went back: borrow from the next one.
    lastMs += 1;
    counter = 0;
  }
  randomFillSync(random);
  random[0] = ((random[0] as number) & 0x3f) | 0x80;
  const time = lastMs.toString(16).padStart(12, '0');
  const tail = Buffer.from(random).toString('hex');
  const version = (0x7000 | counter).toString(16);
  return `${time.slice(0, 8)}-${time.slice(8)}-${version}-${tail.slice(0, 4)}-${tail.slice(4)}`;
}

/** The lowest id of that instant: ids made before it are smaller. For cutting off old rows by their key. */
export function uuidv7Floor(instant: Date): string {
  const time = instant.getTime().toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
}
