import { decode, digestOf, encode, MOST_ENTRIES } from './gossip.js';

const SECRET = 'a-secret-of-all-replicas';
const REPLICA = '\u00ff1234567';

it('says who speaks and what grew, and nobody without the secret learns of whom or is believed', () => {
  const digest = digestOf(SECRET, 'address 192.0.2.7');
  const told = { replica: REPLICA, grown: [[digest, 7] as const, [digestOf(SECRET, 'account ada'), 2 ** 40] as const] };
  const message = encode(SECRET, told);
  expect(decode(SECRET, message)).toEqual({ ...told, grown: [told.grown[0], [told.grown[1]![0], 2 ** 32 - 1]] });
  expect(message.includes('192.0.2.7') || message.includes('ada')).toBe(false);
  expect(digestOf('another-secret-of-others', 'address 192.0.2.7')).not.toBe(digest);
  expect(decode('another-secret-of-others', message)).toBeUndefined();
});

it('believes nothing that was changed, cut, or is too long', () => {
  const message = encode(SECRET, { replica: REPLICA, grown: [[digestOf(SECRET, 'a'), 1]] });
  for (let byte = 0; byte < message.length; byte++) {
    const changed = Buffer.from(message);
    changed[byte]! ^= 1;
    expect(decode(SECRET, changed)).toBeUndefined();
    expect(decode(SECRET, message.subarray(0, byte))).toBeUndefined();
  }
  const grown = Array.from({ length: MOST_ENTRIES + 1 }, () => [digestOf(SECRET, 'a'), 1] as const);
  expect(decode(SECRET, encode(SECRET, { replica: REPLICA, grown }))).toBeUndefined();
});
