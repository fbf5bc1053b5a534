import { isIP, isIPv6 } from 'node:net';

/**
 * Whom requests from a network address are counted for: one home or office has a whole /64 of IPv6 for itself.
 * @returns empty for what is no address
 */
export function sourceOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
  if (!isIP(plain)) return '';
  return isIPv6(plain) ? `${expanded(plain).slice(0, 4).join(':')}::/64` : plain;
}

function expanded(address: string): string[] {
  const [head = '', tail] = (address.split('%')[0] ?? '').split('::');
  const groups = (part: string) => (part ? part.split(':') : []);
  const after = groups(tail ?? '');
  const missing = tail === undefined ? 0 : 8 - groups(head).length - after.length;
  return [...groups(head), ...Array<string>(Math.max(missing, 0)).fill('0'), ...after].map((group) =>
    group.toLowerCase().replace(/^0+(?=.)/, ''),
  );
}
