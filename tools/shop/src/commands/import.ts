// import
import { openAsBlob, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { action, type Context } from '../context.ts';
import { CommandError, EXIT, usageError } from '../exit-codes.ts';
import { bar } from '../output.ts';
import { asStaff, withAccount, type AccountOptions } from '../staff.ts';
import { plain } from '../text.ts';

interface Import {
  id: string;
  state: 'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'FAILED';
  rows: number;
  imported: number;
  created: number;
  updated: number;
  variants: number;
  rejectedCount: number;
  rejected: { row: number; reason: string }[];
  sizeBytes: number;
  readBytes: number;
}

type ImportOptions = AccountOptions & { strict?: boolean };

const UPLOAD_TIMEOUT_MS = 10 * 60_000;
const POLL_MS = 300;
/** Between two plain lines where there is no terminal. */
const LINE_MS = 5_000;

export function addImportCommand(program: Command): void {
  withAccount(program.command('import'))
    .description("import product files in Shopify's CSV format (staff)")
    .argument('<file...>', 'CSV files')
    .option('--strict', 'exit code 1 if any row was rejected')
    .action(action(importFiles));
}

async function importFiles(context: Context, named: string[], options: ImportOptions): Promise<void> {
  // npm runs scripts at the root of the checkout; people mean files where they stand.
  const files = named.map((file) => resolve(process.env['INIT_CWD'] ?? '.', file));
  const missing = files.filter((file) => !statSync(file, { throwIfNoEntry: false })?.isFile());
  if (missing.length > 0) throw usageError(`There is no file ${missing.join(', ')}.`);
  let failed = 0;
  for (const file of files) {
    const done = await importFile(context, file, options);
    context.output.result({ file, ...done }, () => summary(file, done));
    showRejected(context, done);
    if (done.state === 'FAILED' || (options.strict && done.rejectedCount > 0)) failed += 1;
  }
  if (failed > 0) throw new CommandError(`${failed} of ${files.length} files were not imported cleanly.`, EXIT.refused);
}

async function importFile(context: Context, file: string, options: ImportOptions): Promise<Import> {
  const body = await openAsBlob(file, { type: 'text/csv' });
  context.output.progress(`${basename(file)}: sending`);
  const call = { method: 'POST', body, headers: { 'content-type': 'text/csv' }, timeoutMs: UPLOAD_TIMEOUT_MS } as const;
  const accepted = await context.api.call<{ id: string }>('/v1/products/import', {
    ...call,
    ...(await asStaff(context, options)),
  });
  return follow(context, file, accepted.data.id, options);
}

/** A login that was opened for this call alone lives minutes; a long import outlives it, so each question asks anew. */
async function follow(context: Context, file: string, id: string, options: ImportOptions): Promise<Import> {
  let call = await asStaff(context, options);
  let opened = Date.now();
  let nextLine = Date.now() + LINE_MS;
  for (;;) {
    if (Date.now() - opened > 5 * 60_000) [call, opened] = [await asStaff(context, options), Date.now()];
    const now = await context.api.get<Import>(`/v1/imports/${id}`, call);
    if (now.state === 'SUCCEEDED' || now.state === 'FAILED') {
      context.output.clearProgress();
      return now;
    }
    const step = `${bar(now.readBytes, now.sizeBytes)}  ${now.rows} rows, ${now.imported} products`;
    context.output.progress(`${basename(file)}: ${step}`);
    if (!process.stderr.isTTY && Date.now() > nextLine) {
      context.output.note(`${basename(file)}: ${now.rows} rows, ${now.imported} products so far`);
      nextLine = Date.now() + LINE_MS;
    }
    await sleep(POLL_MS);
  }
}

function summary(file: string, done: Import): string {
  const { state, rows, imported, created, updated, variants, rejectedCount } = done;
  const end = state === 'FAILED' ? 'failed' : 'done';
  const counts = [
    counted(rows, 'row'),
    `${counted(imported, 'product')} (${created} new, ${updated} changed)`,
    counted(variants, 'variant'),
    `${counted(rejectedCount, 'row')} rejected`,
  ];
  return `${basename(file)}: ${end}: ${counts.join(', ')}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function showRejected({ output }: Context, { rejected, rejectedCount }: Import): void {
  for (const { row, reason } of rejected) output.note(`  ${row > 0 ? `line ${row}: ` : ''}${plain(reason)}`);
  if (rejectedCount > rejected.length) output.note(`  and ${rejectedCount - rejected.length} more`);
}
