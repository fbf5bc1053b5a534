/** Everything that a run is checked for: the invariants in their order, then how the shop behaved. */
import type { World } from '../world.ts';
import { checkConduct } from './conduct.ts';
import { checkEvents } from './events.ts';
import { checkMoney } from './money.ts';
import { checkOrders } from './orders.ts';
import { checkStock } from './stock.ts';
import type { Verdict } from './verdict.ts';

export type { Verdict } from './verdict.ts';

export function checkAll(world: World): Verdict[] {
  const verdicts = [...checkStock(world), ...checkOrders(world), ...checkMoney(world), ...checkEvents(world)];
  verdicts.sort((a, b) => Number(a.id.slice(1)) - Number(b.id.slice(1)));
  return [...verdicts, ...checkConduct(world)];
}
