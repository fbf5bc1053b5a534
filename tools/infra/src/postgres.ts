/**
 * One local Postgres on the loopback interface. Guarantees: a commit is on disk before it is acknowledged (fsync and
 * synchronous_commit stay on unless `durable: false`); a start after `kill -9` recovers; a server that an earlier run left
 * behind on the same folder is stopped first; the only user is "postgres" with a password. It does not create databases.
 */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, chownSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import { lastLines, spawnServer, type ServerChild } from './child.ts';
import { stopOrphan } from './orphans.ts';
import { endProcess } from './processes.ts';
import { postgresBinaries, type PostgresBinaries } from './postgres-binaries.ts';
import { makeOwnedFolder, postgresUser, requireReachable, type SystemUser } from './postgres-user.ts';
import { StartupError } from './startup-error.ts';

/** Smart enough for every client: a fast shutdown ends their transactions, a later immediate one is recovered from. */
const STOP_STEPS = [
  ['SIGINT', 15_000],
  ['SIGQUIT', 5_000],
  ['SIGKILL', 2_000],
] as const;
const START_DEADLINE_MS = 60_000;
/** Its processes outlive a killed server by moments and keep its memory, during which a new one refuses to start. */
const LEFTOVERS = /pre-existing shared memory block|lock file "postmaster.pid" already exists/;

export interface PostgresOptions {
  readonly dataDir: string;
  readonly port: number;
  readonly logFile: string;
  /** Password of the superuser "postgres"; fixed at the first start of a data folder. */
  readonly password: string;
  /** `false` gives up safety against a power cut for speed: only for tests. Default true. */
  readonly durable?: boolean;
}

export interface RunningPostgres {
  readonly pid: number;
  readonly port: number;
  /** Connection of the superuser to the database "postgres". */
  readonly adminUrl: string;
  /** Resolves with the reason when the server has ended, for whatever cause. */
  readonly ended: Promise<string>;
  stop(): Promise<void>;
}

/** Starts Postgres, first making its data folder where there is none, and resolves once it takes connections. */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  const dataDir = resolve(options.dataDir);
  const user = postgresUser();
  const binaries = postgresBinaries();
  if (user) requireReachableFolders(dataDir, binaries, user);
  if (!existsSync(join(dataDir, 'PG_VERSION'))) await createDataFolder(dataDir, options, binaries, user);
  requireOwned(dataDir, user);
  await stopLeftPostgres(dataDir);
  const child = await launch({ ...options, dataDir }, binaries, user);
  const adminUrl = `postgres://postgres:${encodeURIComponent(options.password)}@127.0.0.1:${options.port}/postgres`;
  const stop = async (): Promise<void> => void (await endProcess(child.pid, STOP_STEPS));
  try {
    await requireLogin(adminUrl, dataDir);
  } catch (error) {
    await stop();
    throw error;
  }
  return { pid: child.pid, port: options.port, adminUrl, ended: child.ended, stop };
}

/** Stops the server that a killed run may have left behind on this folder. */
export async function stopLeftPostgres(dataDir: string): Promise<void> {
  await stopOrphan(join(resolve(dataDir), 'postmaster.pid'), resolve(dataDir), STOP_STEPS);
}

function requireReachableFolders(dataDir: string, binaries: PostgresBinaries, user: SystemUser): void {
  const ordinary = 'Start Souk as an ordinary user instead';
  requireReachable(binaries.postgres, user, `${ordinary}, or move the checkout to a folder that is open to others.`);
  requireReachable(existing(dataDir), user, `${ordinary}, or set SOUK_DATA_DIR to a folder that is open to others.`);
}

function existing(path: string): string {
  return existsSync(dirname(path)) ? path : existing(dirname(path));
}

/** Made under another name and renamed when complete, so that a start which is killed half-way leaves nothing broken. */
async function createDataFolder(
  dataDir: string,
  options: PostgresOptions,
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
): Promise<void> {
  const unfinished = `${dataDir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  makeOwnedFolder(unfinished, user);
  const passwordFile = `${dataDir}.password`;
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  if (user) chownSync(passwordFile, user.uid, user.gid);
  try {
    await initdb(binaries.initdb, unfinished, passwordFile, options.durable ?? true, user);
    renameSync(unfinished, dataDir);
  } finally {
    rmSync(passwordFile, { force: true });
  }
}

async function initdb(
  program: string,
  folder: string,
  passwordFile: string,
  durable: boolean,
  user: SystemUser | undefined,
): Promise<void> {
  const args = ['-D', folder, '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8'];
  args.push('--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--locale=C', '--no-instructions');
  if (!durable) args.push('--no-sync');
  const env = { PATH: process.env['PATH'], LC_ALL: 'C', TZ: 'UTC' };
  const identity = user ? { uid: user.uid, gid: user.gid } : {};
  await promisify(execFile)(program, args, { cwd: '/', env, ...identity }).catch(
    (error: Error & { stderr?: string }) => {
      throw new StartupError(
        `Postgres could not make its data folder ${folder}: ${error.stderr?.trim() || error.message}`,
      );
    },
  );
}

function requireOwned(dataDir: string, user: SystemUser | undefined): void {
  const expected = user?.uid ?? process.getuid?.();
  if (expected === undefined || statSync(dataDir).uid === expected) return;
  throw new StartupError(
    `The data folder ${dataDir} was made by another user. Start Souk as that user, or set SOUK_DATA_DIR to another folder.`,
  );
}

async function launch(
  options: PostgresOptions,
  binaries: PostgresBinaries,
  user: SystemUser | undefined,
): Promise<ServerChild> {
  const deadline = Date.now() + START_DEADLINE_MS;
  for (;;) {
    const child = spawnServer({
      file: binaries.postgres,
      args: ['-D', options.dataDir, ...settings(options)],
      logFile: options.logFile,
      uid: user?.uid,
      gid: user?.gid,
    });
    if (await ready(child, options, deadline)) return child;
    const log = lastLines(options.logFile);
    if (!LEFTOVERS.test(log) || Date.now() > deadline) {
      throw new StartupError(`Postgres did not start (${await child.ended}); ${options.logFile} ends with:\n${log}`);
    }
    await sleep(200);
  }
}

function settings({ port, durable = true }: PostgresOptions): string[] {
  const values: Record<string, string | number> = {
    port,
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: 200,
    shared_buffers: '128MB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    // Recovery first brings thousands of files to disk; one call for the file system takes a fraction of the time.
    ...(process.platform === 'linux' ? { recovery_init_sync_method: 'syncfs' } : {}),
    ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  };
  return Object.entries(values).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** The server writes its state into the eighth line of its pid file. */
async function ready(child: ServerChild, { dataDir }: PostgresOptions, deadline: number): Promise<boolean> {
  const pidFile = join(dataDir, 'postmaster.pid');
  while (!child.hasEnded()) {
    const lines = existsSync(pidFile) ? readFileSync(pidFile, 'utf8').split('\n') : [];
    if (Number(lines[0]) === child.pid && lines[7]?.trim() === 'ready') return true;
    if (Date.now() > deadline) await endProcess(child.pid, STOP_STEPS);
    await sleep(10);
  }
  return false;
}

async function requireLogin(url: string, dataDir: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  try {
    await client.connect();
  } catch (error) {
    if ((error as { code?: string }).code !== '28P01') throw error;
    throw new StartupError(
      `The Postgres in ${dataDir} was made with another password than the one in secrets.json. Put the old file back, or start over with --fresh.`,
    );
  } finally {
    await client.end();
  }
}
