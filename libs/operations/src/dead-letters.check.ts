// Whether there are events that consumers gave up.
import type { DeadLetter, DeadLetters } from '@souk/inbox';
import type { Check, Finding } from './check.js';

const MOST = 1_000;

/** Tells of each dead letter of a service. */
export function deadLettersCheck(letters: Pick<DeadLetters, 'count' | 'list'>): Check {
  return {
    name: 'dead-letters',
    run: async () => {
      const counts = await letters.count();
      const findings = (await letters.list({}, { limit: MOST })).map(toFinding);
      return { compared: [...counts.values()].reduce((sum, count) => sum + count, 0), findings };
    },
  };
}

function toFinding({ id, consumer, type, aggregateId, error }: DeadLetter): Finding {
  return {
    subject: `letter ${id}`,
    detail: `${consumer} gave up ${type} of ${aggregateId}: ${error}`,
    mend: `npm run ops -- dead-letters replay --consumer ${consumer} --letter ${id}`,
  };
}
