import { isIPv4 } from 'node:net';
import { networkInterfaces } from 'node:os';

const EVERYWHERE = new Set(['0.0.0.0', '::', '[::]', '']);

/** Where others find a process that listens on `host`: there, or at this machine's first address where that means everywhere. */
export function advertisedHost(host: string, interfaces = networkInterfaces()): string {
  if (!EVERYWHERE.has(host)) return host;
  const addresses = Object.values(interfaces).flatMap((entries) => entries ?? []);
  return addresses.find(({ internal, address }) => !internal && isIPv4(address))?.address ?? '127.0.0.1';
}
