/**
 * Finds a nats-server program without asking for administrator's rights: on PATH, in the cache, built with Go (whose
 * checksum database verifies the sources), or out of Debian's package (whose signature apt verifies). What was got once is
 * kept in the cache. Each source that was tried says what it did.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { atLeast, versionOf } from './nats.ts';
import { StartupError } from './startup-error.ts';

const run = promisify(execFile);
const GO_MODULE = 'github.com/nats-io/nats-server/v2';
const GO_VERSION = 'v2.12.15';
/** A network that swallows packets must not hold up the start for ever. */
const BUILD_TIMEOUT_MS = 600_000;
const DOWNLOAD_TIMEOUT_MS = 120_000;
/** JetStream as Souk uses it is complete since this version. */
const OLDEST = [2, 9] as const;

export interface NatsSearch {
  /** Is told what is tried, a line each. */
  readonly log: (line: string) => void;
  /** Default: the folder that {@link cacheFolder} chooses. */
  readonly cacheDir?: string;
  readonly env?: NodeJS.ProcessEnv;
}

interface Source {
  readonly name: string;
  /** The program's path, or undefined where this source has none. May throw: the message is told. */
  readonly find: () => Promise<string | undefined>;
}

/** The path of a nats-server program that runs; throws a sentence that says what to install where there is none. */
export async function findNatsServer(search: NatsSearch): Promise<string> {
  const env = search.env ?? process.env;
  const cacheDir = search.cacheDir ?? cacheFolder(env);
  const cached = join(cacheDir, 'nats-server');
  const sources: Source[] = [
    { name: 'PATH', find: async () => onPath('nats-server', env) },
    { name: `the cache ${cacheDir}`, find: async () => (existsSync(cached) ? cached : undefined) },
    { name: 'Go', find: () => buildWithGo(cacheDir, cached, env, search.log) },
    { name: "Debian's package", find: () => unpackFromDebian(cacheDir, cached, env, search.log) },
  ];
  for (const source of sources) {
    const program = await tried(source, search.log);
    if (program) return program;
  }
  throw new StartupError(
    'There is no nats-server: install one so that it is on PATH (on macOS "brew install nats-server", on Debian and Ubuntu "apt install nats-server", elsewhere from https://github.com/nats-io/nats-server/releases), or install Go and start again.',
  );
}

async function tried(source: Source, log: NatsSearch['log']): Promise<string | undefined> {
  try {
    const program = await source.find();
    if (!program) return void log(`nats-server: none in ${source.name}`);
    const version = versionOf(program);
    if (!atLeast(version, OLDEST)) return void log(`nats-server: ${version} from ${source.name} is too old`);
    log(`nats-server: ${version} from ${source.name}`);
    return program;
  } catch (error) {
    return void log(`nats-server: ${source.name} failed: ${firstLine(error)}`);
  }
}

function firstLine(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message: string };
  return (stderr?.trim() || message).split('\n').at(-1) ?? message;
}

/** Where programs that were built or unpacked are kept: shared by all checkouts of a user, unless his home is closed. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const shared = join(home, 'souk');
  return writable(shared) ? shared : join(import.meta.dirname, '../../../node_modules/.cache/souk');
}

function writable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    // Not ours to write.
    return false;
  }
}

function onPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(executable);
}

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not a program.
    return false;
  }
}

async function buildWithGo(
  cacheDir: string,
  target: string,
  env: NodeJS.ProcessEnv,
  log: NatsSearch['log'],
): Promise<string | undefined> {
  if (!onPath('go', env)) return undefined;
  log(`nats-server: building ${GO_VERSION} with Go (a minute or two, once)...`);
  return inWorkFolder(cacheDir, target, async (folder) => {
    // Where the home folder is closed Go has nowhere to work, so it works here.
    const goHome = writable(homedir()) ? {} : { GOPATH: join(folder, 'go'), GOCACHE: join(folder, 'go-cache') };
    const goEnv = { ...env, ...goHome, GOBIN: folder, GOFLAGS: '-modcacherw', CGO_ENABLED: '0' };
    await run('go', ['install', '-trimpath', '-ldflags=-s -w', `${GO_MODULE}@${GO_VERSION}`], {
      env: goEnv,
      cwd: folder,
      timeout: BUILD_TIMEOUT_MS,
    });
    return join(folder, 'nats-server');
  });
}

async function unpackFromDebian(
  cacheDir: string,
  target: string,
  env: NodeJS.ProcessEnv,
  log: NatsSearch['log'],
): Promise<string | undefined> {
  if (!onPath('apt-get', env) || !onPath('dpkg', env)) return undefined;
  log("nats-server: unpacking Debian's package into the cache...");
  return inWorkFolder(cacheDir, target, async (folder) => {
    await run('apt-get', ['download', 'nats-server'], { env, cwd: folder, timeout: DOWNLOAD_TIMEOUT_MS });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (!archive) throw new Error('apt-get downloaded no package');
    await run('dpkg', ['-x', archive, '.'], { env, cwd: folder });
    return ['usr/sbin/nats-server', 'usr/bin/nats-server'].map((path) => join(folder, path)).find(executable);
  });
}

/** Works in a folder of its own and moves the result into place in one step, so that two starts do not disturb each other. */
async function inWorkFolder(
  cacheDir: string,
  target: string,
  make: (folder: string) => Promise<string | undefined>,
): Promise<string | undefined> {
  mkdirSync(cacheDir, { recursive: true });
  const folder = mkdtempSync(join(cacheDir, 'work-'));
  try {
    const made = await make(folder);
    if (made) renameSync(made, target);
    return made && target;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
