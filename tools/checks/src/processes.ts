// Runs the tools that checks are made of, with the Node that runs this.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './projects.ts';

export interface Finished {
  exitCode: number;
  stdout: string;
  /** What it printed on either of its outputs. */
  output: string;
}

/** Runs a command at the root and keeps what it prints. */
export function capture(command: string, args: string[]): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, env: childEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => void (stdout.push(chunk), output.push(chunk)));
    child.stderr.on('data', (chunk: Buffer) => void output.push(chunk));
    child.on('error', (error) => resolve({ exitCode: 1, stdout: '', output: error.message }));
    child.on('close', (code) => resolve({ exitCode: code ?? 1, stdout: text(stdout), output: text(output) }));
  });
}

/** Runs a command at the root that prints to the terminal itself; resolves with its exit code. */
export function show(command: string, args: string[], more: NodeJS.ProcessEnv = {}): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      env: { ...childEnvironment(), ...more },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    child.on('error', () => resolve(1));
    child.on('close', (code) => resolve(code ?? 1));
  });
}

/** A script of an installed package, run by this Node whatever `node` is on the PATH. */
export function nodeScript(path: string, ...args: string[]): [string, string[]] {
  return [process.execPath, [join(ROOT, path), ...args]];
}

function text(chunks: Buffer[]): string {
  return Buffer.concat(chunks).toString();
}

function childEnvironment(): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
    NX_DAEMON: 'false',
  };
}
