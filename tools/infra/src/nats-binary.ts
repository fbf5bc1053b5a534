/**
 * Finds a nats-server program without asking for administrator's rights: on PATH, in the cache, built with Go (whose
 * checksum database verifies the sources), or out of Debian's package (whose signature apt verifies). What was got once is
 * kept in the cache. Each source that was tried says what it did.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { atLeast, versionOf } from './nats.ts';
import { cacheFolder, inWorkFolder, onPath, unpackFromDebian, writable } from './programs.ts';
import { StartupError } from './startup-error.ts';

const run = promisify(execFile);
const GO_MODULE = 'github.com/nats-io/nats-server/v2';
const GO_VERSION = 'v2.12.15';
/** A network that swallows packets must not hold up the start for ever. */
const BUILD_TIMEOUT_MS = 600_000;
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
    { name: "Debian's package", find: () => unpackFromDebian('nats-server', cached, env) },
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
