/** Finds orders whose saga waits for a person, or does not come to its end. */
import type { Check, Finding } from '@souk/operations';
import type { ChecksStore, StuckOrder } from './checks.store.js';
import { resume } from './mends.js';

const MOST_FINDINGS = 1_000;

export function ordersSagasCheck(orders: ChecksStore): Check {
  const run = async () => {
    const [compared, stuck] = await Promise.all([orders.countUnfinished(), orders.stuck(MOST_FINDINGS)]);
    return { compared, findings: stuck.map(sagaFinding) };
  };
  return { name: 'orders-sagas', run };
}

function sagaFinding({ orderId, state, parked, failures, error, idleS }: StuckOrder): Finding {
  const what = parked
    ? `Its saga was given up after ${failures} failures`
    : `Its saga has not ended for ${minutes(idleS)}`;
  const why = error ? `: ${error}` : '.';
  return { subject: orderId, detail: `It is ${state}. ${what}${why}`, mend: resume(orderId) };
}

function minutes(seconds: number): string {
  return `${Math.round(seconds / 60)} minutes`;
}
