import type { Check } from '@souk/operations';
import type { ChecksStore } from './checks.store.js';
import { byHand, Findings, syncPayment } from './findings.js';

/** Tells of what somebody has waited for for ten minutes, and of notices that no payment here could be found for. */
export function paymentsStuckCheck(checks: ChecksStore): Check {
  const run = async () => {
    const findings = new Findings();
    for (const { order_id: orderId, what } of await checks.stuckPayments()) {
      const detail = `For more than 10 minutes: ${what}.`;
      findings.add({ subject: orderId, detail, mend: syncPayment(orderId) });
    }
    for (const { event_id: subject, reference, type } of await checks.stuckNotices()) {
      const detail = `The notice ${type} of ${reference} could not be acted on for more than 10 minutes.`;
      findings.add({ subject, detail, mend: 'It is tried again by itself; see the log of payments for the reason.' });
    }
    for (const { reference, type } of await checks.unknownNotices()) {
      const detail = `The provider told of it (${type}), and no payment here is known by it.`;
      findings.add({ subject: reference, detail, mend: byHand(reference) });
    }
    findings.count(await checks.countNotSettled());
    return findings.result;
  };
  return { name: 'payments-stuck', run };
}
