/**
 * A whole Souk of one's own, for journeys and benchmarks: on free ports, with its state in a temporary folder. It is a real
 * `npm start`, seen from outside, so that what is tested is what people run.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { isPortFree } from '@souk/infra';
import { layout, ROOT } from './layout.ts';
import { planPorts, type PortPlan } from './port-plan.ts';
import { loadSecrets, type Secrets } from './secrets.ts';

const READY = /^Souk is ready: (http:\S+)/;
const LONGEST_START_MS = 180_000;
const LAST_LINES = 40;

export interface LaunchOptions {
  /** Where the state is kept; a new temporary folder by default. */
  readonly dataDir?: string;
  readonly ports?: PortPlan;
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
}

export interface LaunchedSouk {
  readonly url: string;
  readonly dataDir: string;
  readonly ports: PortPlan;
  readonly secrets: Secrets;
  /** Process of the runner. */
  readonly pid: number;
  /** From the start to the ready line. */
  readonly readyMs: number;
  /** Stops it in order, as Ctrl-C does. */
  stop(): Promise<void>;
  /** Deletes its state. */
  remove(): void;
}

/** Starts a Souk and resolves when it is ready. @throws with its last lines where it ends before that */
export async function launchSouk(options: LaunchOptions = {}): Promise<LaunchedSouk> {
  const dataDir = options.dataDir ?? temporaryFolder();
  const ports = options.ports ?? (await freePorts());
  const began = performance.now();
  const child = spawn(
    process.execPath,
    ['--max-semi-space-size=2', join(ROOT, 'tools/runner/dist/start.js'), ...(options.args ?? [])],
    {
      env: { ...process.env, ...options.env, PORT: String(ports.gateway), SOUK_DATA_DIR: dataDir },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const url = await readyUrl(child);
  return {
    url,
    dataDir,
    ports,
    secrets: loadSecrets(layout(dataDir).secrets),
    pid: child.pid ?? 0,
    readyMs: performance.now() - began,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
    remove: () => rmSync(dataDir, { recursive: true, force: true }),
  };
}

/** Open to the user that Postgres runs as where Souk is run by root. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'souk-'));
  chmodSync(folder, 0o711);
  return folder;
}

async function readyUrl(child: ChildProcess): Promise<string> {
  const lines: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > LAST_LINES) lines.shift();
      const [, url] = READY.exec(line) ?? [];
      if (url) resolve(url);
    });
  }
  const timer = setTimeout(() => reject(new Error(`Souk did not get ready:\n${lines.join('\n')}`)), LONGEST_START_MS);
  child.once('exit', () => reject(new Error(`Souk ended before it was ready:\n${lines.join('\n')}`)));
  return promise.finally(() => clearTimeout(timer));
}

/** Ports that are free now, at one distance from the standard ones. */
async function freePorts(): Promise<PortPlan> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const plan = planPorts({ PORT: String(3_100 + Math.floor(Math.random() * 5_000)) });
    const free = await Promise.all(Object.values(plan).map(isPortFree));
    if (free.every(Boolean)) return plan;
  }
  throw new Error('No free ports were found.');
}
