/**
 * Instances that this process has heard of by other means than a name: whoever keeps a registry tells them, and targets
 * `registry:///<service>` follow.
 */
import type { Address, Resolver } from './resolver.js';

type Listener = (addresses: readonly Address[]) => void;

const known = new Map<string, readonly Address[]>();
const listeners = new Map<string, Set<Listener>>();

/** Says where all instances of a service are now. */
export function tellInstances(service: string, addresses: readonly Address[]): void {
  if (known.get(service)?.join() === addresses.join()) return;
  known.set(service, addresses);
  listeners.get(service)?.forEach((listener) => listener(addresses));
}

export function registered(service: string): Resolver {
  return (listener) => {
    const all = listeners.get(service) ?? new Set();
    listeners.set(service, all.add(listener));
    listener(known.get(service) ?? []);
    return () => void all.delete(listener);
  };
}
