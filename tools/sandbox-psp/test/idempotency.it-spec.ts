import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { authorization, psp, stripeAt } from './psp-fixture.ts';

const MAIN = join(__dirname, '../src/main.ts');

describe('idempotency keys', () => {
  let fixture: Awaited<ReturnType<typeof psp>>;
  beforeEach(async () => (fixture = await psp()));
  afterEach(() => fixture.close());

  it('answers the same again, marked as replayed, and charges once', async () => {
    const { stripe, sandbox } = fixture;
    const first = await stripe.paymentIntents.create(authorization(), { idempotencyKey: 'k1' });
    const again = await stripe.paymentIntents.create(authorization(), { idempotencyKey: 'k1' });
    expect(again.id).toBe(first.id);
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(again.lastResponse.requestId).toMatch(/^req_/);
    expect(sandbox.ledger().charges).toHaveLength(1);
  });

  it('replays a decline too', async () => {
    const { stripe, sandbox } = fixture;
    const decline = () =>
      stripe.paymentIntents.create(authorization('pm_card_chargeDeclined'), { idempotencyKey: 'k2' });
    await expect(decline()).rejects.toMatchObject({ code: 'card_declined' });
    await expect(decline()).rejects.toMatchObject({
      code: 'card_declined',
      headers: { 'idempotent-replayed': 'true' },
    });
    expect(sandbox.ledger().charges).toHaveLength(1);
  });

  it('refuses a key with other parameters', async () => {
    const { stripe } = fixture;
    await stripe.paymentIntents.create(authorization(), { idempotencyKey: 'k3' });
    const other = stripe.paymentIntents.create(authorization('pm_card_visa', 5), { idempotencyKey: 'k3' });
    await expect(other).rejects.toMatchObject({ type: 'StripeIdempotencyError', statusCode: 400 });
  });

  it('refuses a key that is in use, and charges once', async () => {
    const { stripe, sandbox } = fixture;
    const call = () => stripe.paymentIntents.create(authorization('pm_sandbox_slow_400'), { idempotencyKey: 'k4' });
    const first = call();
    await new Promise((resolve) => setTimeout(resolve, 100));
    await expect(call()).rejects.toMatchObject({ statusCode: 409, code: 'idempotency_key_in_use' });
    await first;
    await expect(call()).resolves.toMatchObject({ status: 'requires_capture' });
    expect(sandbox.ledger().charges).toHaveLength(1);
  });

  it('keeps no key of a request that was not understood', async () => {
    const { stripe } = fixture;
    const wrong = stripe.paymentIntents.create(authorization('pm_nobody'), { idempotencyKey: 'k5' });
    await expect(wrong).rejects.toMatchObject({ code: 'resource_missing' });
    await expect(stripe.paymentIntents.create(authorization(), { idempotencyKey: 'k5' })).resolves.toBeDefined();
  });
});

it('remembers each answered charge and its key after kill -9', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'sandbox-psp-'));
  const first = await startProcess(dataDir);
  const intent = await stripeAt(first).paymentIntents.create(authorization(), { idempotencyKey: 'kill' });
  await kill(first.process);

  const second = await startProcess(dataDir);
  const again = await stripeAt(second).paymentIntents.create(authorization(), { idempotencyKey: 'kill' });
  expect(again).toMatchObject({ id: intent.id, status: 'requires_capture' });
  const ledger = (await (await fetch(`http://127.0.0.1:${second.port}/_sandbox/ledger`)).json()) as {
    charges: unknown[];
  };
  expect(ledger.charges).toHaveLength(1);
  await kill(second.process);
  rmSync(dataDir, { recursive: true });
});

async function startProcess(dataDir: string): Promise<{ process: ChildProcess; port: number }> {
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH: process.env.PATH, SANDBOX_PSP_PORT: '0', SANDBOX_PSP_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise<number>((resolve) => {
    child.stdout.on('data', (line: Buffer) => resolve(Number(/:(\d+)\s*$/.exec(line.toString())?.[1])));
  });
  return { process: child, port };
}

async function kill(child: ChildProcess): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}
