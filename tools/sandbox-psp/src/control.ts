/**
 * The control API below `/_sandbox`: faults, the books, and what banks and the time do to payments. Open to whoever
 * reaches the port, which is the machine itself.
 */
import { cancelIntent } from './captures.ts';
import { closeDispute, openDispute } from './disputes.ts';
import { parseFault, type Faults } from './faults.ts';
import type { Ledger } from './ledger.ts';
import { endRefund } from './refunds.ts';
import type { Webhooks } from './webhooks.ts';
import type { Answer, Writes } from './writes.ts';

interface Parts {
  readonly ledger: Ledger;
  readonly faults: Faults;
  readonly writes: Writes;
  readonly webhooks: Webhooks;
}

export async function control(
  parts: Parts,
  { method, url, body }: { method: string; url: URL; body: string },
): Promise<Answer> {
  const { ledger, faults, writes, webhooks } = parts;
  switch (`${method} ${url.pathname}`) {
    case 'GET /_sandbox/health':
      return { status: 200, body: { status: 'ok' } };
    case 'GET /_sandbox/ledger':
      return { status: 200, body: ledgerReport(ledger) };
    case 'GET /_sandbox/faults':
      return { status: 200, body: { faults: faults.list() } };
    case 'DELETE /_sandbox/faults':
      faults.clear();
      return { status: 200, body: { faults: [] } };
    case 'POST /_sandbox/faults':
      return understood(body, (fault) => {
        faults.add(parseFault(fault));
        return { status: 200, body: { faults: faults.list() } };
      });
    case 'POST /_sandbox/notices/send':
      await webhooks.sendNow();
      return { status: 200, body: { undelivered_notices: ledger.deliveries.size } };
    case 'POST /_sandbox/disputes':
      return understood(body, ({ payment_intent: intent, amount }) =>
        writes.happen(openDispute(ledger, String(intent), amount === undefined ? undefined : Number(amount))),
      );
    case 'POST /_sandbox/disputes/close':
      return understood(body, ({ dispute, status }) =>
        writes.happen(closeDispute(ledger, String(dispute), status === 'won' ? 'won' : 'lost')),
      );
    case 'POST /_sandbox/refunds/end':
      return understood(body, ({ refund, status }) =>
        writes.happen(endRefund(ledger, String(refund), status === 'failed' ? 'failed' : 'succeeded')),
      );
    case 'POST /_sandbox/expire':
      // What is left of an authorisation goes when its time is up, in the way in which it is cancelled.
      return understood(body, ({ payment_intent: intent }) =>
        writes.happen(cancelIntent(ledger, String(intent), EXPIRED)),
      );
    default:
      return refused(404, `There is no ${method} ${url.pathname}.`);
  }
}

const EXPIRED = { cancellation_reason: 'automatic' };

/** The provider's books: what the promise "never charges twice" is checked against. */
export function ledgerReport(ledger: Ledger) {
  return {
    payment_intents: [...ledger.intents.values()],
    charges: [...ledger.charges.values()],
    refunds: [...ledger.refunds.values()],
    disputes: [...ledger.disputes.values()],
    events: [...ledger.events.values()],
    undelivered_notices: ledger.deliveries.size,
  };
}

async function understood(
  body: string,
  act: (fields: Record<string, unknown>) => Answer | Promise<Answer>,
): Promise<Answer> {
  try {
    return await act(JSON.parse(body) as Record<string, unknown>);
  } catch (error) {
    return refused(400, error instanceof Error ? error.message : 'Not understood.');
  }
}

function refused(status: number, message: string): Answer {
  return { status, body: { error: { message } } };
}
