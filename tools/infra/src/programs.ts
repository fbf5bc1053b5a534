/** Programs that are no npm packages: where they are kept, and how they get there without administrator's rights. */
import { execFile } from 'node:child_process';
import { accessSync, constants, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DOWNLOAD_TIMEOUT_MS = 120_000;

/** Where programs that were built or unpacked are kept: shared by all checkouts of a user, unless his home is closed. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const home = env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const shared = join(home, 'souk');
  return writable(shared) ? shared : join(import.meta.dirname, '../../../node_modules/.cache/souk');
}

export function writable(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    // Not ours to write.
    return false;
  }
}

/** The program of that name on PATH. */
export function onPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  return folders.map((folder) => join(folder, program)).find(executable);
}

export function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    // Not there, or not a program.
    return false;
  }
}

/** Unpacks one program of a Debian package into the cache; undefined where this is no Debian. apt verifies the package. */
export async function unpackFromDebian(
  debianPackage: string,
  target: string,
  env: NodeJS.ProcessEnv,
): Promise<string | undefined> {
  if (!onPath('apt-get', env) || !onPath('dpkg', env)) return undefined;
  const program = basename(target);
  return inWorkFolder(dirname(target), target, async (folder) => {
    await run('apt-get', ['download', debianPackage], { env, cwd: folder, timeout: DOWNLOAD_TIMEOUT_MS });
    const archive = readdirSync(folder).find((name) => name.endsWith('.deb'));
    if (!archive) throw new Error('apt-get downloaded no package');
    await run('dpkg', ['-x', archive, '.'], { env, cwd: folder });
    return ['usr/sbin', 'usr/bin'].map((path) => join(folder, path, program)).find(executable);
  });
}

/** Works in a folder of its own and moves the result into place in one step, so that two starts do not disturb each other. */
export async function inWorkFolder(
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
