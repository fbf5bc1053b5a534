/** What an operator does, with the real command line. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from '@souk/runner';
import type { LaunchedSouk } from '@souk/runner/launch';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Difference {
  readonly check: string;
  readonly subject: string;
  readonly mend: string;
}

export class Operator {
  constructor(private readonly souk: Pick<LaunchedSouk, 'dataDir'>) {}

  /** `npm run ops -- <words>` */
  run(words: string): Promise<Outcome> {
    const program = join(ROOT, 'tools/ops/src/main.ts');
    const env = { PATH: process.env['PATH'], SOUK_DATA_DIR: this.souk.dataDir };
    const child = spawn(process.execPath, [program, ...words.split(' ')], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    return new Promise((resolve) => child.once('close', (code) => resolve({ code, stdout, stderr })));
  }

  /** Runs the checks of a service, and expects the exit code to say what they found. */
  async differences(service: string): Promise<Difference[]> {
    const { code, stdout, stderr } = await this.run(`reconcile ${service} --json`);
    if (stderr !== '') throw new Error(stderr);
    const found = (JSON.parse(stdout) as { differences: Difference[] }[]).flatMap(({ differences }) => differences);
    if (code !== (found.length > 0 ? 1 : 0)) throw new Error(`Exit code ${code} with ${found.length} differences.`);
    return found;
  }

  /** Does what the difference says. */
  mend({ mend }: Difference): Promise<Outcome> {
    const [, words] = /^npm run ops -- (.+)$/.exec(mend) ?? [];
    if (!words) throw new Error(`No command of ops: ${mend}`);
    return this.run(words);
  }
}
