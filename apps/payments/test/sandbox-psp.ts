/** The sandbox payment provider as a process of its own, with an empty ledger. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workspacePath } from '@souk/testing';

export interface LedgerIntent {
  id: string;
  status: string;
  amount: number;
  amount_received: number;
  amount_capturable: number;
  metadata: Record<string, string>;
}

export interface Ledger {
  payment_intents: LedgerIntent[];
  charges: { id: string; status: string; payment_intent: string; amount_captured: number; amount_refunded: number }[];
  refunds: { id: string; payment_intent: string; amount: number; status: string }[];
  disputes: { id: string; payment_intent: string }[];
}

export interface Fault {
  kind: string;
  next?: number;
  rate?: number;
  delayMs?: number;
  operation?: string;
  stored?: boolean;
}

export async function startSandbox(options: { webhookSecret: string; webhookUrl: string }) {
  const dataDir = mkdtempSync(join(tmpdir(), 'payments-psp-'));
  const child = spawn(process.execPath, [workspacePath('tools/sandbox-psp/src/main.ts')], {
    env: {
      PATH: process.env['PATH'],
      SANDBOX_PSP_PORT: '0',
      SANDBOX_PSP_DATA_DIR: dataDir,
      SANDBOX_PSP_WEBHOOK_URL: options.webhookUrl,
      STRIPE_WEBHOOK_SECRET: options.webhookSecret,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise<string>((resolve, reject) => {
    child.once('exit', () => reject(new Error('The sandbox did not start.')));
    child.stdout.on('data', (line: Buffer) => resolve(/(http:\S+)/.exec(line.toString())?.[1] ?? ''));
  });
  const control = (path: string, init?: RequestInit) => fetch(`${url}/_sandbox/${path}`, init);
  const ledger = async () => (await (await control('ledger')).json()) as Ledger;
  return {
    url,
    ledger,
    addFault: (fault: Fault) => control('faults', { method: 'POST', body: JSON.stringify(fault) }),
    /** What banks and the time do: `disputes`, `disputes/close`, `refunds/end` or `expire`. */
    happen: (what: string, to: object) => control(what, { method: 'POST', body: JSON.stringify(to) }),
    clearFaults: () => control('faults', { method: 'DELETE' }),
    /** Everything in the provider's books that belongs to an order. */
    booksOf: async (orderId: string) => {
      const { payment_intents: all, charges, refunds } = await ledger();
      const intents = all.filter(({ metadata }) => metadata['souk_order_id'] === orderId);
      const ids = new Set(intents.map(({ id }) => id));
      const mine = <T extends { payment_intent: string }>(list: T[]) => list.filter((it) => ids.has(it.payment_intent));
      return { intents, charges: mine(charges), refunds: mine(refunds) };
    },
    close: async () => {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.removeAllListeners('exit').once('exit', () => undefined);
      child.kill('SIGKILL');
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 500))]);
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export type Sandbox = Awaited<ReturnType<typeof startSandbox>>;
