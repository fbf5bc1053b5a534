import type { AddressInfo } from 'node:net';
import { Faults, type Fault } from './faults.ts';
import { Ledger } from './ledger.ts';
import { ledgerReport } from './control.ts';
import { createPspServer } from './server.ts';
import { Webhooks } from './webhooks.ts';

export type { Fault, FaultKind, Operation } from './faults.ts';
export type { Charge, Dispute, Event, IntentStatus, PaymentIntent, Refund } from './ledger.ts';

export interface SandboxPspOptions {
  /** Folder of the ledger; made where it is missing. */
  dataDir: string;
  /** 0, the default, takes a free one. */
  port?: number;
  /** 127.0.0.1 by default. */
  host?: string;
  /** What notices are signed with. */
  webhookSecret?: string;
  /** Where notices go; without it none are sent. */
  webhookUrl?: string;
}

export interface SandboxPsp {
  readonly url: string;
  readonly port: number;
  /** Makes something go wrong, as `POST /_sandbox/faults` does. */
  addFault(fault: Fault): void;
  clearFaults(): void;
  /** The provider's books, as `GET /_sandbox/ledger` answers them. */
  ledger(): ReturnType<typeof ledgerReport>;
  close(): Promise<void>;
}

/** Starts the sandbox in this process; resolves once it answers. */
export async function startSandboxPsp(options: SandboxPspOptions): Promise<SandboxPsp> {
  const { dataDir, host = '127.0.0.1', port = 0, webhookUrl, webhookSecret = 'whsec_sandbox' } = options;
  const ledger = await Ledger.open(dataDir);
  const webhooks = new Webhooks(ledger, { url: webhookUrl, secret: webhookSecret });
  const faults = new Faults();
  const server = createPspServer(ledger, webhooks, faults);
  // Longer than callers keep idle connections, so that none is closed under a request.
  server.keepAliveTimeout = 120_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  webhooks.pump();
  const bound = (server.address() as AddressInfo).port;
  return {
    url: `http://${host}:${bound}`,
    port: bound,
    addFault: (fault) => faults.add({ ...fault }),
    clearFaults: () => faults.clear(),
    ledger: () => ledgerReport(ledger),
    close: async () => {
      webhooks.stop();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await ledger.close();
    },
  };
}
