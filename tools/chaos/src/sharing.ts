/**
 * Whether replicas share their work, by what each caller sends to each of them, second by second. A caller that keeps to one
 * replica for as long as that lives turns to the other only when it dies: a few times in a run.
 */
import { INSTANCES, linkName, replicasOf } from './topology.ts';
import type { Sent } from './wires-process.ts';
import type { Wires } from './wires.ts';

/** What one caller gave to the replicas of a service. */
export interface Sharing {
  readonly caller: string;
  readonly service: string;
  /** Bytes to each replica. */
  readonly sent: readonly number[];
  /** Seconds in which the caller had work for any of them; and for all, or for another than in the last of such seconds. */
  readonly busy: number;
  readonly shared: number;
}

/** Less than any call, and more than what keeps a connection alive. */
const A_CALL_BYTES = 200;
/** Each replica is away for a while; but never for so long that three seconds out of four are not shared. */
const LEAST_SHARED = 0.25;
/** With less to do, chance decides. */
const LEAST_BUSY = 20;

/** Looks once a second, until the returned function is called, which tells what was seen. */
export function watchLinks(wires: Pick<Wires, 'count'>): () => readonly Sent[] {
  const samples: Sent[] = [];
  const timer = setInterval(() => void wires.count().then((sent) => samples.push(sent)), 1_000);
  return () => {
    clearInterval(timer);
    return samples;
  };
}

/** @param samples of what went over the links so far, one for each second */
export function sharingOf(samples: readonly Sent[]): Sharing[] {
  const services = [...new Set(INSTANCES.map(({ service }) => service))];
  return services.flatMap((service) => {
    const replicas = replicasOf(service);
    if (replicas.length === 1) return [];
    const callers = INSTANCES.filter((instance) => instance.service !== service).map(({ name }) => name);
    const sharings = callers.map((caller) => {
      const links = replicas.map((replica) => linkName(caller, replica));
      return { caller, service, ...sharingAmong(links, samples) };
    });
    return sharings.filter(({ busy }) => busy >= LEAST_BUSY);
  });
}

export function isShared({ busy, shared }: Pick<Sharing, 'busy' | 'shared'>): boolean {
  return shared >= busy * LEAST_SHARED;
}

function sharingAmong(links: readonly string[], samples: readonly Sent[]): Pick<Sharing, 'sent' | 'busy' | 'shared'> {
  const used = samples.slice(1).map((after, index) => {
    const before = samples[index] ?? {};
    return links.filter((link) => (after[link] ?? 0) - (before[link] ?? 0) > A_CALL_BYTES);
  });
  const busy = used.filter((some) => some.length > 0);
  const shared = busy.filter((some, index) => {
    const last = busy[index - 1] ?? some;
    return some.length === links.length || (last.length === 1 && last[0] !== some[0]);
  });
  return {
    sent: links.map((link) => samples.at(-1)?.[link] ?? 0),
    busy: busy.length,
    shared: shared.length,
  };
}
