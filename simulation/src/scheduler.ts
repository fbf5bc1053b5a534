/**
 * Virtual time. Everything that happens is an event at a moment; events happen one after the other, each together with
 * all that follows from it without waiting (its promises), so that a run is the same whenever it is repeated.
 */
import type { Host } from './host.ts';

interface Event {
  at: number;
  readonly order: number;
  readonly work: () => void;
  readonly host: Host | undefined;
  cancelled: boolean;
}

export interface Timer {
  cancel(): void;
}

export class Scheduler {
  now: number;
  /** Whose code runs now; undefined between processes. */
  current: Host | undefined;
  /** Whose event is about to happen. */
  next: Host | undefined;
  /** Asked before each event; where it answers true the event is put off, and dropped if its process is dead by then. */
  beforeEvent: (() => boolean) | undefined;
  events = 0;
  private readonly heap: Event[] = [];
  private order = 0;

  constructor(start: number) {
    this.now = start;
  }

  /** @param host whose event it is: dropped when the process dies, put off while it stands still */
  after(ms: number, work: () => void, host?: Host): Timer {
    const at = this.now + Math.max(0, ms);
    const event: Event = { at, order: (this.order += 1), work, host, cancelled: false };
    this.push(event);
    return { cancel: () => void (event.cancelled = true) };
  }

  /** Resolves after that time; never where the process dies before. */
  sleep(ms: number, host?: Host): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve, host));
  }

  /** Lets events happen until `isOver`, asked between events, or until none is left. */
  run(isOver: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const step = () => {
        try {
          if (isOver() || !this.happen()) return resolve();
        } catch (error) {
          return reject(error instanceof Error ? error : new Error(String(error)));
        }
        // The tick that a microtask asks for comes after all microtasks: what the event has caused is done by then.
        queueMicrotask(() => process.nextTick(step));
      };
      step();
    });
  }

  /** @returns false where nothing is left */
  private happen(): boolean {
    for (;;) {
      const event = this.pop();
      if (!event) return false;
      const { host } = event;
      if (event.cancelled || host?.isUp === false) continue;
      if (host && host.pausedUntil > event.at) {
        event.at = host.pausedUntil;
        this.push(event);
        continue;
      }
      this.now = Math.max(this.now, event.at);
      this.next = host;
      if (this.beforeEvent?.()) {
        this.push(event);
        continue;
      }
      this.current = host;
      this.events += 1;
      event.work();
      return true;
    }
  }

  private push(event: Event): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(event);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(event, heap[parent] as Event)) break;
      heap[index] = heap[parent] as Event;
      index = parent;
    }
    heap[index] = event;
  }

  private pop(): Event | undefined {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (!first || !last || heap.length === 0) return first;
    this.sink(last);
    return first;
  }

  private sink(event: Event): void {
    const { heap } = this;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Event, heap[child] as Event)) child += 1;
      if (!isBefore(heap[child] as Event, event)) break;
      heap[index] = heap[child] as Event;
      index = child;
    }
    heap[index] = event;
  }
}

function isBefore(a: Event, b: Event): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}
