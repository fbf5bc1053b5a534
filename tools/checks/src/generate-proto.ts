// Generates libs/proto from proto/: static TypeScript and the descriptor set for reflection. Run with `--check`, it fails where
// what is committed is stale.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUF = join(import.meta.dirname, '../../../node_modules/.bin/buf');
const PROTO = join(import.meta.dirname, '../../../proto');
const LIB = join(import.meta.dirname, '../../../libs/proto');
const OUTPUTS = ['src/gen', 'descriptors.binpb'];

export function generate(): void {
  const env = { ...process.env, PATH: `${join(BUF, '..')}:${process.env['PATH']}` };
  const buf = (...args: string[]) =>
    execFileSync(BUF, args, { cwd: PROTO, env, stdio: ['ignore', 'inherit', 'inherit'] });
  buf('generate');
  buf('build', '--exclude-source-info', '-o', join(LIB, 'descriptors.binpb'));
}

function filesBelow(root: string): Map<string, string> {
  const files = readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map((file) => [
      join(file.parentPath, file.name).slice(root.length),
      readFileSync(join(file.parentPath, file.name), 'base64'),
    ]),
  );
}

/** Generates in place, compares with what was there, and puts that back. */
function staleFiles(): string[] {
  const before = mkdtempSync(join(tmpdir(), 'souk-proto-'));
  const after = mkdtempSync(join(tmpdir(), 'souk-proto-'));
  const copy = (from: string, to: string) =>
    OUTPUTS.forEach((output) => cpSync(join(from, output), join(to, output), { recursive: true }));
  try {
    copy(LIB, before);
    generate();
    copy(LIB, after);
    const [committed, generated] = [filesBelow(before), filesBelow(after)];
    return [...new Set([...committed.keys(), ...generated.keys()])].filter(
      (file) => committed.get(file) !== generated.get(file),
    );
  } finally {
    OUTPUTS.forEach((output) => rmSync(join(LIB, output), { recursive: true }));
    copy(before, LIB);
    [before, after].forEach((folder) => rmSync(folder, { recursive: true }));
  }
}

if (process.argv[1] === import.meta.filename && process.argv.includes('--check')) {
  const stale = staleFiles();
  if (stale.length > 0) {
    process.stderr.write(`libs/proto is stale: run \`npm run generate\`. Changed: ${stale.join(', ')}\n`);
    process.exitCode = 1;
  }
}
