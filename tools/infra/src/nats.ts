/**
 * One local NATS server with JetStream, on the loopback interface, without monitoring port. Guarantees: what was
 * acknowledged survives `kill -9` of the server; a power cut may take the last second (Postgres is the record, and the outbox
 * can fill a stream again); a server that an earlier run left behind on the same folder is stopped first.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines, spawnServer, type ServerChild } from './child.ts';
import { stopOrphan } from './orphans.ts';
import { endProcess } from './processes.ts';
import { StartupError } from './startup-error.ts';

const STOP_STEPS = [
  ['SIGTERM', 10_000],
  ['SIGKILL', 2_000],
] as const;
const START_DEADLINE_MS = 30_000;

export interface NatsOptions {
  /** The program, as found by {@link findNatsServer}. */
  readonly program: string;
  readonly storeDir: string;
  readonly port: number;
  readonly logFile: string;
}

export interface RunningNats {
  readonly pid: number;
  readonly port: number;
  readonly url: string;
  /** Resolves with the reason when the server has ended, for whatever cause. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts NATS and resolves once it takes connections. */
export async function startNats(options: NatsOptions): Promise<RunningNats> {
  const storeDir = resolve(options.storeDir);
  mkdirSync(storeDir, { recursive: true, mode: 0o700 });
  await stopLeftNats(storeDir);
  const pidFile = pidFileIn(storeDir);
  const configFile = join(storeDir, 'nats.conf');
  writeFileSync(configFile, natsConfig({ storeDir, port: options.port, pidFile, version: versionOf(options.program) }));
  const child = spawnServer({ file: options.program, args: ['-c', configFile], logFile: options.logFile });
  await waitUntilReady(child, options);
  const stop = async (): Promise<void> => void (await endProcess(child.pid, STOP_STEPS));
  return { pid: child.pid, port: options.port, url: `nats://127.0.0.1:${options.port}`, ended: child.ended, stop };
}

/** Stops the server that a killed run may have left behind on this folder. */
export async function stopLeftNats(storeDir: string): Promise<void> {
  await stopOrphan(pidFileIn(resolve(storeDir)), resolve(storeDir), STOP_STEPS);
}

function pidFileIn(storeDir: string): string {
  return join(storeDir, 'nats.pid');
}

/** The configuration file. JSON texts are valid strings of its format. */
export function natsConfig(settings: { storeDir: string; port: number; pidFile: string; version: string }): string {
  // Servers before 2.10 do not know the setting and would refuse the file.
  const sync = atLeast(settings.version, [2, 10]) ? ', sync_interval: "1s"' : '';
  return [
    'server_name: "souk"',
    'host: "127.0.0.1"',
    `port: ${settings.port}`,
    `pid_file: ${JSON.stringify(settings.pidFile)}`,
    `jetstream { store_dir: ${JSON.stringify(settings.storeDir)}${sync} }`,
    '',
  ].join('\n');
}

/** The version that a nats-server program states, for example `2.12.1`; throws where it does not run. */
export function versionOf(program: string): string {
  const text = execFileSync(program, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const version = /v(\d+\.\d+\.\d+\S*)/.exec(text)?.[1];
  if (!version) throw new Error(`${program} states no version`);
  return version;
}

/** Whether a version such as `2.9.10` is at least the given major and minor one. */
export function atLeast(version: string, [major, minor]: readonly [number, number]): boolean {
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number);
  return foundMajor > major || (foundMajor === major && foundMinor >= minor);
}

async function waitUntilReady(child: ServerChild, { port, logFile }: NatsOptions): Promise<void> {
  const deadline = Date.now() + START_DEADLINE_MS;
  while (!child.hasEnded()) {
    if (await greets(port)) return;
    if (Date.now() > deadline) await endProcess(child.pid, STOP_STEPS);
    await sleep(15);
  }
  throw new StartupError(`NATS did not start (${await child.ended}); ${logFile} ends with:\n${lastLines(logFile)}`);
}

/** A NATS server speaks first: a line with its INFO, which says whether JetStream is on. */
function greets(port: number): Promise<boolean> {
  return new Promise((resolvePromise) => {
    const socket = connect({ port, host: '127.0.0.1', timeout: 1_000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolvePromise(answer);
    };
    socket.once('data', (data) => end(data.toString().startsWith('INFO ') && data.includes('"jetstream":true')));
    socket.once('error', () => end(false)).once('timeout', () => end(false));
  });
}
