/** Finds erasures that wait for a person, or do not come to their end within the month that the law gives. */
import type { Check } from '@souk/operations';
import type { ErasuresStore } from './erasures.store.js';

const MOST_FINDINGS = 1_000;

export function erasuresCheck(erasures: ErasuresStore): Check {
  const run = async () => {
    const stuck = await erasures.stuck(MOST_FINDINGS);
    const findings = stuck.map(({ erasure_id: subject, parked, error, pending }) => ({
      subject,
      detail: parked
        ? `The erasure was given up: ${error}.`
        : `The erasure waits for ${pending} records since 25 days.`,
      mend: parked
        ? `npm run ops -- erasures resume ${subject}`
        : 'Bring the open orders of the person to their end: fulfil or cancel them.',
    }));
    return { compared: stuck.length, findings };
  };
  return { name: 'erasures', run };
}
