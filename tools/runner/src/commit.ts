import { execFileSync } from 'node:child_process';
import { ROOT } from './layout.ts';

/** The commit that is started, as the processes tell it; empty where this is no checkout. */
export function startedCommit(env: NodeJS.ProcessEnv): string {
  if (env['SOUK_COMMIT']) return env['SOUK_COMMIT'];
  try {
    return execFileSync('git', ['rev-parse', '--short=12', 'HEAD'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    // No git, or sources without a history.
    return '';
  }
}
