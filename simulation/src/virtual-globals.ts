/**
 * Lends the running code the clock, the timers and the randomness of a simulation, in this thread alone. Code that asks
 * for them by the usual names gets them: `Date`, `setTimeout`, `Math.random`, `node:timers/promises`, `node:crypto`.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Scheduler, Timer } from './scheduler.ts';

export interface VirtualWorld {
  readonly scheduler: Scheduler;
  /** For what the services draw. */
  readonly random: Random;
  /** How much longer than asked for a timer takes; a machine that is busy or asleep is late. */
  readonly stretch: (ms: number) => number;
}

const RealDate = Date;
let world: VirtualWorld | undefined;

/** @returns what gives everything back */
export function enter(entered: VirtualWorld): () => void {
  world = entered;
  const restore = [
    replace(globalThis, { Date: virtualDate(), ...virtualTimers() }),
    replace(Math, { random: () => present().random.next() }),
    replace(performance, { now: () => present().scheduler.now }),
    replace(timers, { setTimeout: sleep }),
    replace(crypto, virtualCrypto()),
  ];
  syncBuiltinESMExports();
  return () => {
    restore.forEach((giveBack) => giveBack());
    syncBuiltinESMExports();
    world = undefined;
  };
}

function present(): VirtualWorld {
  if (!world) throw new Error('There is no simulation here.');
  return world;
}

function now(): number {
  const { scheduler } = present();
  return Math.floor(scheduler.now + (scheduler.current?.skewMs ?? 0));
}

function virtualDate(): DateConstructor {
  return new Proxy(RealDate, {
    construct: (target, args: unknown[]) =>
      args.length === 0 ? new target(now()) : (Reflect.construct(target, args) as Date),
    get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
  });
}

/** What `setTimeout` gives in Node: an object that can be let go of. */
class Handle {
  timer: Timer;

  constructor(timer: Timer) {
    this.timer = timer;
  }

  unref(): this {
    return this;
  }

  ref(): this {
    return this;
  }
}

function virtualTimers() {
  const later = (work: () => void, ms: number) => {
    const { scheduler, stretch } = present();
    return scheduler.after(stretch(ms), work, scheduler.current);
  };
  const clear = (handle: Handle | undefined) => handle?.timer.cancel();
  const setTimeout = (work: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) =>
    new Handle(later(() => work(...args), ms));
  const setInterval = (work: (...args: unknown[]) => void, ms = 0, ...args: unknown[]) => {
    const handle = new Handle(later(tick, ms));
    function tick(): void {
      handle.timer = later(tick, ms);
      work(...args);
    }
    return handle;
  };
  const setImmediate = (work: (...args: unknown[]) => void, ...args: unknown[]) =>
    new Handle(later(() => work(...args), 0));
  return { setTimeout, setInterval, setImmediate, clearTimeout: clear, clearInterval: clear, clearImmediate: clear };
}

function sleep<T>(ms = 0, value?: T): Promise<T | undefined> {
  const { scheduler, stretch } = present();
  return scheduler.sleep(stretch(ms), scheduler.current).then(() => value);
}

function virtualCrypto() {
  const randomFillSync = (bytes: Uint8Array) => {
    present().random.fill(bytes);
    return bytes;
  };
  const randomBytes = (size: number) => randomFillSync(Buffer.alloc(size));
  const randomInt = (low: number, high?: number) => {
    const [from, to] = high === undefined ? [0, low] : [low, high];
    return present().random.whole(from, to - 1);
  };
  return { randomFillSync, randomBytes, randomInt, randomUUID };
}

function randomUUID(): string {
  const bytes = Buffer.alloc(16);
  present().random.fill(bytes);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

function replace(target: object, members: Readonly<Record<string, unknown>>): () => void {
  const before = Object.entries(members).map(([name, value]) => {
    const descriptor = Object.getOwnPropertyDescriptor(target, name);
    Object.defineProperty(target, name, { value, writable: true, configurable: true, enumerable: true });
    return [name, descriptor] as const;
  });
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor) Object.defineProperty(target, name, descriptor);
      else Reflect.deleteProperty(target, name);
    }
  };
}
