// The dependency audit of `npm test`: what the registry knows of the packages, where it can be asked, and what can be said without it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../processes.ts';
import { ROOT } from '../projects.ts';
import { advisoriesIn, advisoryProblems, exceptionProblems, type Advisory, type Exception } from './advisories.ts';
import type { LockFile } from './lock-file.ts';

export function lockFile(): LockFile {
  return JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as LockFile;
}

export function badExceptions(): string[] {
  return exceptionProblems(exceptions(), new Date().toISOString().slice(0, 10));
}

/** Undefined where the registry cannot be asked. */
export async function knownWeaknesses(): Promise<string[] | undefined> {
  const [delivered, all] = await Promise.all([audit('--omit=dev'), audit()]);
  return delivered && all && advisoryProblems({ delivered, all }, exceptions());
}

function exceptions(): Exception[] {
  return JSON.parse(readFileSync(join(ROOT, 'tools/checks/audit-exceptions.json'), 'utf8')) as Exception[];
}

async function audit(...options: string[]): Promise<Advisory[] | undefined> {
  const args = ['audit', '--json', '--fetch-retries=0', '--fetch-timeout=20000', ...options];
  return advisoriesIn((await capture(...npm(args))).stdout);
}

/** The npm that runs this, which may be another one than that on PATH. */
function npm(args: string[]): [command: string, args: string[]] {
  const script = process.env['npm_execpath'] ?? '';
  return /npm-cli\.[cm]?js$/.test(script) ? [process.execPath, [script, ...args]] : ['npm', args];
}
