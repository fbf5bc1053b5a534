// Where a request came from. Pure. What a client says of itself is kept short and printable; what is no address counts as
// unknown.
import { isIP } from 'node:net';

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
