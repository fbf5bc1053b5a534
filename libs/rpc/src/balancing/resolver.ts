/**
 * Where the instances of a service are. A target is `host:port`, a list `static:host:port,host:port`,
 * `dns:///name:port`, whose addresses are looked up again each second, or `registry:///service`. Names in any target are looked up so. While a look-up
 * fails, or finds nothing, the last addresses stay in use. One look-up is under way at a time in a process: a name server that is away
 * takes one of Node's few threads, and not all of them.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { registered } from './known-instances.js';

const LOOK_UP_EVERY_MS = 1_000;
const LISTS = /^(static|ipv4|ipv6):/;
const REGISTRY = /^registry:\/\/\/([a-z][a-z0-9-]*)$/;
const DNS = /^dns:(\/\/[^/]*\/)?/;

/** One place to connect to, `127.0.0.1:50051` or `[::1]:50051`. */
export type Address = string;

/** Tells of the addresses of a service: at once, or as soon as they are known, and at every change until it is closed. */
export type Resolver = (listener: (addresses: readonly Address[]) => void) => () => void;

/** @throws a sentence for a target that cannot be read */
export function resolverOf(target: string): Resolver {
  const [, service] = REGISTRY.exec(target) ?? [];
  if (service) return registered(service);
  const places = target.replace(LISTS, '').replace(DNS, '').split(',').map(placeOf);
  if (places.every(({ host }) => isIP(host) !== 0)) return fixed(places);
  return lookedUp(places);
}

interface Place {
  readonly host: string;
  readonly port: string;
}

function placeOf(text: string): Place {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:[\]/\s]+)):(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  if (!host || !port) throw new Error(`"${text}" is not host:port.`);
  return { host, port };
}

function fixed(places: readonly Place[]): Resolver {
  return (listener) => {
    listener(places.map(({ host, port }) => addressOf(host, port)));
    return () => undefined;
  };
}

function lookedUp(places: readonly Place[]): Resolver {
  return (listener) => {
    const ending = new AbortController();
    void keepLookingUp(places, listener, ending.signal);
    return () => ending.abort();
  };
}

async function keepLookingUp(
  places: readonly Place[],
  listener: (addresses: readonly Address[]) => void,
  signal: AbortSignal,
): Promise<void> {
  let known = '';
  while (!signal.aborted) {
    const found = await inTurn(() => lookUp(places)).catch(() => []);
    if (found.length > 0 && found.join() !== known && !signal.aborted) {
      known = found.join();
      listener(found);
    }
    await sleep(LOOK_UP_EVERY_MS, undefined, { ref: false, signal }).catch(() => undefined);
  }
}

let turn: Promise<unknown> = Promise.resolve();

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work);
  turn = mine.catch(() => undefined);
  return mine;
}

async function lookUp(places: readonly Place[]): Promise<Address[]> {
  const found = await Promise.all(
    places.map(async ({ host, port }) => {
      if (isIP(host)) return [addressOf(host, port)];
      const answers = await lookup(host, { all: true });
      return answers.map(({ address }) => addressOf(address, port));
    }),
  );
  return [...new Set(found.flat())].sort();
}

function addressOf(host: string, port: string): Address {
  return isIP(host) === 6 ? `[${host}]:${port}` : `${host}:${port}`;
}
