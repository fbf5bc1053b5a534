/**
 * Which system user Postgres runs as. It refuses to run as root, so for root it is another user, who owns the data folder
 * and must be able to reach it and the programs; a folder he cannot reach is refused in a sentence with the cure.
 */
import { execFileSync } from 'node:child_process';
import { chownSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { StartupError } from './startup-error.ts';

export interface SystemUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const CANDIDATES = ['postgres', '_postgres', 'nobody'];

/** The user that Postgres must drop to; undefined when it can run as the current one. */
export function postgresUser(): SystemUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of CANDIDATES) {
    const [uid, gid] = [idOf(name, '-u'), idOf(name, '-g')];
    if (uid !== undefined && gid !== undefined) return { name, uid, gid };
  }
  throw new StartupError(
    'Postgres does not run as root, and there is no user "postgres" or "nobody" to run it as: start Souk as an ordinary user.',
  );
}

function idOf(name: string, flag: '-u' | '-g'): number | undefined {
  try {
    return Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  } catch {
    // `id` answers with exit code 1 for a user that does not exist.
    return undefined;
  }
}

/** Makes a folder that belongs to the user Postgres runs as and that only he can read. */
export function makeOwnedFolder(path: string, user: SystemUser | undefined): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  if (user) chownSync(path, user.uid, user.gid);
}

/** Throws unless the user may pass through every folder above this path. */
export function requireReachable(path: string, user: SystemUser, cure: string): void {
  const closed = ancestors(path).find((folder) => !mayPass(folder, user));
  if (closed === undefined) return;
  throw new StartupError(
    `Postgres does not run as root, so Souk runs it as the user "${user.name}", who cannot reach ${path} because ${closed} is closed to others. ${cure}`,
  );
}

function ancestors(path: string): string[] {
  const parent = dirname(resolve(path));
  return parent === dirname(parent) ? [parent] : [...ancestors(parent), parent];
}

function mayPass(folder: string, user: SystemUser): boolean {
  const { mode, uid, gid } = statSync(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  return gid === user.gid ? (mode & 0o010) !== 0 : (mode & 0o001) !== 0;
}
