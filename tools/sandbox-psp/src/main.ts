import { resolve } from 'node:path';
import { startSandboxPsp } from './index.ts';

const { env } = process;

try {
  const psp = await startSandboxPsp({
    dataDir: resolve(env.SANDBOX_PSP_DATA_DIR || '.souk/sandbox-psp'),
    host: env.SANDBOX_PSP_HOST || '127.0.0.1',
    port: Number(env.SANDBOX_PSP_PORT || 12111),
    webhookSecret: env.STRIPE_WEBHOOK_SECRET || undefined,
    webhookUrl: env.SANDBOX_PSP_WEBHOOK_URL || undefined,
  });
  process.stdout.write(`sandbox-psp answers at ${psp.url}\n`);
  const stop = () => void psp.close().then(() => process.exit(0));
  process.once('SIGTERM', stop).once('SIGINT', stop);
} catch (error) {
  process.stderr.write(`sandbox-psp can't start: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}
