/** What a run tells in the end. */
import type { Verdict } from './checks/index.ts';
import type { Operation } from './history.ts';
import type { Rest } from './rest.ts';
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
    restLine(rest),
    ...rest.stuck.map((what) => `  stuck: ${what}`),
    '',
    'Invariants             compared',
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
  return [
    row(String(keys.size), 'tried (keys)'),
    row(String(told.size), 'acknowledged'),
    row(String(orders.length), 'stored'),
    ...[...states].sort().map(([state, list]) => row(String(list.length), state)),
  ];
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
