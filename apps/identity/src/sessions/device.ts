// Where a request came from. Pure. What a client says of itself is kept short and printable; what is no address counts as
// unknown.
import { isIP, isIPv6 } from 'node:net';

export interface Device {
  /** IP address; empty where it is not known. */
  readonly address: string;
  readonly userAgent: string;
}

const USER_AGENT_MAX = 300;

export const UNKNOWN_DEVICE: Device = { address: '', userAgent: '' };

/** The device as it is stored and shown. */
export function tidyDevice({ address, userAgent }: Device): Device {
  const printable = userAgent.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return { address: isIP(address) ? address : '', userAgent: [...printable].slice(0, USER_AGENT_MAX).join('') };
}

/** Whom tries from the address are counted for: one home or office has a whole /64 of IPv6 for itself. */
export function sourceOf({ address }: Device): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, '');
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
