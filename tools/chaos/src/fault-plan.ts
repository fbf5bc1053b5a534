/**
 * Which faults come when: made of the seed alone. Faults come in rounds, overlapping within a round, with a quiet spell after
 * each. Guarantees: every kind comes once before any comes twice, so that a run of a minute and a half has seen all.
 */
import { PAYMENT_LEASE_MS, SAGA_LEASE_MS } from './leases.ts';
import type { Random } from './random.ts';
import { DOORS, INSTANCES, LINKS, replicasOf, SERVERS, type Link } from './topology.ts';
import type { Disturbance } from './wire.ts';

/** What the provider is told to do wrong. */
export interface ProviderFault {
  readonly kind: string;
  readonly rate: number;
  readonly delayMs?: number;
  /** Only calls of this kind. */
  readonly operation?: string;
  /** Whether the key that met it meets it ever after. */
  readonly stored?: boolean;
}

export type Fault =
  | { readonly kind: 'kill'; readonly target: string }
  | { readonly kind: 'pause'; readonly target: string; readonly forMs: number }
  | {
      readonly kind: 'link';
      readonly links: readonly string[];
      readonly disturbance: Disturbance;
      readonly forMs: number;
      /** Whether connections that lived through a silence break when it ends. */
      readonly breaking: boolean;
    }
  | { readonly kind: 'provider'; readonly fault: ProviderFault; readonly forMs: number }
  /** The last events of a stream are published a second time. */
  | { readonly kind: 'events again'; readonly stream: string; readonly count: number };

export interface PlannedFault {
  /** Milliseconds since the load began. */
  readonly at: number;
  /** For the table, for example `kill -9 orders-1`. */
  readonly label: string;
  readonly fault: Fault;
}

interface Card {
  readonly label: string;
  readonly make: (random: Random) => Fault;
  /** Comes at the beginning of a run, since it takes that long. */
  readonly long?: boolean;
}

const ROUND_MS = 15_000;
const QUIET_MS = 3_000;
const LONGEST_SHORT_MS = 9_000;
/** Faults of one round, so that a minute and a half has room for every kind. */
const PER_ROUND = 11;

/** Every fault of a run of that many milliseconds, in the order of their beginning. */
export function planFaults(random: Random, lengthMs: number): PlannedFault[] {
  const planned: PlannedFault[] = [];
  let deck: Card[] = [];
  for (let from = 1_000; from + ROUND_MS <= lengthMs; from += ROUND_MS + QUIET_MS) {
    for (let slot = 0; slot < PER_ROUND; slot++) {
      if (deck.length === 0) deck = shuffledDeck(random);
      const card = deck.shift();
      if (!card) break;
      const fault = card.make(random);
      const takes = card.long ? 0 : lengthOf(fault);
      const at = from + Math.round(random.next() * Math.max(0, ROUND_MS - takes));
      planned.push({ at, label: card.label, fault });
    }
  }
  return planned.sort((a, b) => a.at - b.at);
}

export function lengthOf(fault: Fault): number {
  return 'forMs' in fault ? fault.forMs : 0;
}

function shuffledDeck(random: Random): Card[] {
  const shuffled = random.shuffled(DECK);
  return [...shuffled.filter(({ long }) => long), ...shuffled.filter(({ long }) => !long)];
}

function short(random: Random): number {
  return random.between(2_000, LONGEST_SHORT_MS);
}

const kills: Card[] = [...INSTANCES.map(({ name }) => name), ...SERVERS].map((target) => ({
  label: `kill -9 ${target}`,
  make: () => ({ kind: 'kill', target }),
}));

const OTHERS_TO_PAUSE = ['gateway', 'catalog', 'identity', 'notifications', 'nats', 'provider'] as const;

const pauses: Card[] = [
  pause('pause orders beyond its lease', replicasOf('orders'), [SAGA_LEASE_MS + 1_500, SAGA_LEASE_MS + 3_000]),
  {
    ...pause('pause payments beyond its lease', replicasOf('payments'), [
      PAYMENT_LEASE_MS + 1_500,
      PAYMENT_LEASE_MS + 3_000,
    ]),
    long: true,
  },
  pause('pause inventory', replicasOf('inventory'), [3_000, 8_000]),
  pause('pause another', OTHERS_TO_PAUSE, [2_000, 5_000]),
];

const toPostgres = linksWhere(({ to }) => to === 'postgres');
const toNats = linksWhere(({ to }) => to === 'nats');
const toProvider = linksWhere(({ to }) => to === 'provider');
const fromProvider = linksWhere(({ from }) => from === 'provider');
const toServices = ({ to }: Link) => !(SERVERS as readonly string[]).includes(to);
const fromGateway = linksWhere((link) => link.from === 'gateway' && toServices(link));
const fromOrders = linksWhere((link) => link.from.startsWith('orders') && toServices(link));
const doors = linksWhere(({ from }) => (DOORS as readonly string[]).includes(from));

const links: Card[] = [
  disturbed('cut a link to Postgres', toPostgres, cut),
  disturbed('cut a link to NATS', toNats, cut),
  disturbed('cut a link between services', [...fromGateway, ...fromOrders], cut),
  disturbed('cut a link to the provider', toProvider, cut),
  disturbed('cut the way of the notices', fromProvider, cut),
  disturbed('cut the way of buyers', doors, cut),
  disturbed('slow link to Postgres', toPostgres, slow),
  disturbed('slow link between services', [...fromGateway, ...fromOrders], slow),
  disturbed('slow link to the provider', toProvider, slow),
  disturbed('narrow link', [...toPostgres, ...toNats, ...fromGateway, ...fromOrders], narrow),
  disturbed('silent link to Postgres', toPostgres, silent('both')),
  disturbed('silent link to NATS', toNats, silent('both')),
  disturbed('silent link between services', [...fromGateway, ...fromOrders], silent('both')),
  disturbed('lost answers of Postgres', toPostgres, silent('back')),
  disturbed('lost answers between services', fromOrders, silent('back')),
  disturbed('lost answers of the provider', toProvider, silent('back')),
  disturbed('lost answers to buyers', doors, silent('back')),
  {
    label: 'isolate a process',
    make: (random) => {
      const { name } = random.pick(INSTANCES);
      const all = linksWhere(({ from, to }) => from === name || to === name);
      return linkFault(random, all, silent('both')());
    },
  },
];

const provider: Card[] = [
  wrong('decline', 0.4, { operation: 'create' }),
  { ...wrong('decline', 0.5, { operation: 'refund' }), label: 'provider: decline of refunds' },
  wrong('delay', 0.6, { delayMs: 2_500 }),
  wrong('timeout_after_charge', 0.4),
  wrong('timeout_before_charge', 0.4),
  wrong('error_500', 0.5),
  {
    ...wrong('error_500', 0.5, { operation: 'capture', stored: true }),
    label: 'provider: lasting error_500 of captures',
  },
  {
    ...wrong('error_500', 0.5, { operation: 'refund', stored: true }),
    label: 'provider: lasting error_500 of refunds',
  },
  wrong('rate_limit', 0.5),
  wrong('duplicate_webhook', 1),
  wrong('late_webhook', 0.7, { delayMs: 4_000 }),
  wrong('lost_webhook', 0.7),
  wrong('pending_refund', 0.7),
];

const again: Card[] = ['ORDERS', 'CATALOG', 'INVENTORY', 'PAYMENTS'].map((stream) => ({
  label: `events of ${stream} published twice`,
  make: (random) => ({ kind: 'events again', stream, count: random.between(20, 60) }),
}));

const DECK: readonly Card[] = [...kills, ...pauses, ...links, ...provider, ...again];

function linksWhere(fits: (link: Link) => boolean): readonly string[] {
  return LINKS.filter(fits).map(({ name }) => name);
}

function pause(label: string, targets: readonly string[], [shortest, longest]: readonly [number, number]): Card {
  return {
    label,
    make: (random) => ({ kind: 'pause', target: random.pick(targets), forMs: random.between(shortest, longest) }),
  };
}

function disturbed(label: string, from: readonly string[], how: (random: Random) => Disturbance): Card {
  return { label, make: (random) => linkFault(random, [random.pick(from)], how(random)) };
}

function linkFault(random: Random, chosen: readonly string[], disturbance: Disturbance): Fault {
  return { kind: 'link', links: chosen, disturbance, forMs: short(random), breaking: random.chance(0.5) };
}

function cut(): Disturbance {
  return { kind: 'cut' };
}

function slow(random: Random): Disturbance {
  return { kind: 'slow', delayMs: random.between(50, 600) };
}

function narrow(random: Random): Disturbance {
  return { kind: 'narrow', bytesPerSecond: random.between(2_000, 20_000) };
}

function silent(direction: 'both' | 'back'): () => Disturbance {
  return () => ({ kind: 'silent', direction });
}

function wrong(kind: string, rate: number, more: Partial<ProviderFault> = {}): Card {
  const fault: ProviderFault = { kind, rate, ...more };
  return { label: `provider: ${kind}`, make: (random) => ({ kind: 'provider', fault, forMs: short(random) }) };
}
