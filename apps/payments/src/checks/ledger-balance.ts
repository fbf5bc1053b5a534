/**
 * Compares what payments of the last three days say with their captures and refunds, and with what the ledger says of them.
 * That the ledger's debits and credits balance need not be compared: each of its rows is both.
 */
import type { Check, Finding } from '@souk/operations';
import type { ChecksStore, Imbalance } from './checks.store.js';
import { Findings } from './findings.js';

const LOOK_BACK_MS = 3 * 24 * 60 * 60 * 1000;

export function ledgerBalanceCheck(checks: ChecksStore, now: () => Date): Check {
  const run = async () => {
    const findings = new Findings();
    for await (const paymentIds of checks.movedSince(new Date(now().getTime() - LOOK_BACK_MS))) {
      findings.count(paymentIds.length);
      for (const row of await checks.outOfBalance(paymentIds)) findings.add(toFinding(row));
      if (findings.full) break;
    }
    return findings.result;
  };
  return { name: 'ledger-balance', run };
}

function toFinding(row: Imbalance): Finding {
  const says = (captured: bigint, refunded: bigint) => `${captured} captured, ${refunded} refunded`;
  const detail =
    `The payment says ${says(row.captured_amount, row.refunded_amount)}, ${row.disputed_amount} disputed; ` +
    `the ledger ${says(row.booked_captured, row.booked_refunded)}, ${row.booked_disputed} disputed` +
    `${row.in_other_currency > 0 ? ', in another currency' : ''}; ` +
    `its captures and refunds ${says(row.moved_captured, row.moved_refunded)}.`;
  const mend = 'See what the provider holds; then book the difference by hand, as an entry with a cause of its own.';
  return { subject: row.order_id, detail, mend };
}
