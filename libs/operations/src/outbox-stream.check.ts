// Whether the broker still has what the outbox sent, and the outbox what the broker has.
import type { Audit, OutboxRelay } from '@souk/outbox';
import type { Check, Finding } from './check.js';

/** Compares the outbox of a service with its stream. */
export function outboxStreamCheck(service: string, relay: Pick<OutboxRelay, 'audit'>): Check {
  return {
    name: 'outbox-stream',
    run: async () => {
      const audit = await relay.audit();
      return { compared: audit.compared, findings: toFindings(service, audit) };
    },
  };
}

function toFindings(service: string, { compared, lost, unknown, waiting }: Audit): Finding[] {
  const findings: Finding[] = [];
  const [first] = lost;
  if (first) {
    findings.push({
      subject: 'lost events',
      detail: `Of ${compared} events that were looked for the broker has lost ${lost.length}, the first is ${first.type} ${first.id}.`,
      mend: `npm run ops -- stream rebuild ${service}`,
    });
  }
  if (waiting > 0) {
    findings.push({
      subject: 'waiting events',
      detail: `${waiting} events have waited for more than a minute to be published.`,
      mend: 'Bring NATS back; the relay goes on by itself.',
    });
  }
  if (unknown.length > 0) {
    findings.push({
      subject: 'unknown events',
      detail: `The stream has ${unknown.length} events that the database does not know, for example ${unknown[0]}.`,
      mend: 'Bring the database to its newest state: it was set back.',
    });
  }
  return findings;
}
