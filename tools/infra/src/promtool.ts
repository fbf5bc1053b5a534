/**
 * Finds Prometheus' promtool: on PATH, in the cache, or in Debian's package, of which nothing is installed. It checks rules; what
 * it checks is checked where it is found.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, onPath, unpackFromDebian } from './programs.ts';

/** The path of promtool, or undefined where this machine has none and no way to get one. */
export async function findPromtool(env: NodeJS.ProcessEnv = process.env): Promise<string | undefined> {
  const cached = join(cacheFolder(env), 'promtool');
  const present = onPath('promtool', env) ?? (existsSync(cached) ? cached : undefined);
  // No network, or a list of packages that was never fetched: as good as none.
  return present ?? unpackFromDebian('prometheus', cached, env).catch(() => undefined);
}
