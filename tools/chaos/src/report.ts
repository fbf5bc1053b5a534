/** What a run tells in the end. */
import type { Verdict } from './checks/index.ts';
import type { Operation } from './history.ts';
import type { Rest } from './rest.ts';
import type { Sharing } from './sharing.ts';
import type { World } from './world.ts';

const SHOWN_VIOLATIONS = 5;

export interface Findings {
  readonly injected: ReadonlyMap<string, number>;
  readonly world: World;
  readonly rest: Rest;
  readonly verdicts: readonly Verdict[];
}

export function report({ injected, world, rest, verdicts }: Findings): string {
  return [
    'Faults injected',
    ...[...injected].sort(([a], [b]) => (a < b ? -1 : 1)).map(([label, count]) => row(String(count), label)),
    '',
    'Operations                 tried       ok  refused  unknown',
    ...operationRows(world.operations),
    '',
    'Orders',
    ...orderRows(world),
    '',
    'Replicas                      bytes to each    busy seconds, shared',
    ...world.sharings.map(sharingRow),
    '',
    restLine(rest),
    ...rest.stuck.map((what) => `  stuck: ${what}`),
    '',
    'Checks                 compared',
    ...verdicts.flatMap(verdictRows),
    '  I14 promotions and gift cards: n/a, Souk has none',
  ].join('\n');
}

export function hasFailed({ rest, verdicts }: Pick<Findings, 'rest' | 'verdicts'>): boolean {
  return rest.stuck.length > 0 || verdicts.some(({ violations }) => violations.length > 0);
}

function operationRows(operations: readonly Operation[]): string[] {
  return [...Map.groupBy(operations, ({ kind }) => kind)].map(([kind, all]) => {
    const of = (outcome: Operation['outcome']) => all.filter((operation) => operation.outcome === outcome).length;
    const counts = [all.length, of('ok'), of('refused'), of('unknown')];
    return `  ${kind.padEnd(20)}${counts.map((count) => String(count).padStart(9)).join('')}`;
  });
}

function orderRows({ operations, orders }: World): string[] {
  const placed = operations.filter(({ kind }) => kind === 'place order');
  const keys = new Set(placed.map(({ key }) => key));
  const told = new Set(placed.flatMap(({ orderId }) => (orderId ? [orderId] : [])));
  const states = Map.groupBy(orders, ({ state }) => state);
  const confirmed = orders.filter(({ timeline }) => timeline.some(({ kind }) => kind === 'CONFIRMED'));
  return [
    row(String(keys.size), 'tried (keys)'),
    row(String(told.size), 'acknowledged'),
    row(String(orders.length), 'stored'),
    row(String(confirmed.length), 'confirmed, whatever became of them'),
    row(String(states.get('REJECTED')?.length ?? 0), 'refused'),
    ...[...states].sort().map(([state, list]) => row(String(list.length), `now ${state}`)),
  ];
}

function sharingRow({ caller, service, sent, busy, shared }: Sharing): string {
  const bytes = sent.map((count) => String(count).padStart(11)).join('');
  return `  ${`${caller} to ${service}`.padEnd(24)}${bytes}${String(busy).padStart(9)}${String(shared).padStart(9)}`;
}

function restLine({ seconds, stuck }: Rest): string {
  const verdict = stuck.length === 0 ? 'PASS' : 'FAIL';
  return `Rest  ${verdict}  ${seconds.toFixed(1)} s after the healing`;
}

function verdictRows({ id, title, compared, violations }: Verdict): string[] {
  const verdict = violations.length === 0 ? 'PASS' : 'FAIL';
  const more = violations.length - SHOWN_VIOLATIONS;
  return [
    `  ${id.padEnd(4)} ${verdict} ${String(compared).padStart(18)}  ${title}`,
    ...violations.slice(0, SHOWN_VIOLATIONS).map((violation) => `         ${violation}`),
    ...(more > 0 ? [`         and ${more} more`] : []),
  ];
}

function row(count: string, what: string): string {
  return `  ${count.padStart(6)}  ${what}`;
}
