/**
 * The servers that integration tests share: one Postgres and one NATS in a temporary folder, on free ports. Everything is
 * stopped and removed when the tests end, also when their process is killed. Not durable: made for speed.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findNatsServer } from './nats-binary.ts';
import { startNats } from './nats.ts';
import { freePort } from './ports.ts';
import { startPostgres } from './postgres.ts';

export interface TestServers {
  /** Superuser's connection. */
  readonly postgresUrl: string;
  readonly natsUrl: string;
  stop(): Promise<void>;
}

/** Starts both servers. */
export async function startTestServers(log: (line: string) => void = () => {}): Promise<TestServers> {
  const program = await findNatsServer({ log });
  const folder = temporaryFolder();
  const nats = await startNats({
    program,
    storeDir: join(folder, 'nats'),
    port: await freePort(),
    logFile: join(folder, 'nats.log'),
  });
  const forgetNats = cleanUpAfterDeath(nats.pid, folder);
  const postgres = await startPostgres({
    dataDir: join(folder, 'postgres'),
    port: await freePort(),
    logFile: join(folder, 'postgres.log'),
    password: randomBytes(12).toString('hex'),
    durable: false,
  });
  const forgetPostgres = cleanUpAfterDeath(postgres.pid, folder);
  const stop = async (): Promise<void> => {
    await Promise.all([postgres.stop(), nats.stop()]);
    rmSync(folder, { recursive: true, force: true });
    forgetNats();
    forgetPostgres();
  };
  return { postgresUrl: postgres.adminUrl, natsUrl: nats.url, stop };
}

/** Open to others, since Postgres runs as another user when the tests run as root. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'souk-test-'));
  chmodSync(folder, 0o755);
  return folder;
}

/**
 * A shell that waits for the end of its input, which this process holds open: so it notices even `kill -9`. Returns what
 * calls it off.
 */
function cleanUpAfterDeath(pid: number, folder: string): () => void {
  const script = 'cat >/dev/null; kill -INT "$1" 2>/dev/null; sleep 1; rm -rf "$2"';
  const args = ['-c', script, 'sh', String(pid), folder];
  const shell = spawn('sh', args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'], cwd: '/' });
  shell.unref();
  (shell.stdin as unknown as { unref(): void }).unref();
  return () => void shell.kill('SIGTERM');
}
