import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { casesIn, guaranteeProblems, rowsOf } from './guarantees.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'souk-guarantees-'));
});

afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

function document(...rows: string[]): void {
  write('docs/guarantees.md', ['| case | what | shown by |', '| --- | --- | --- |', ...rows].join('\n'));
}

it('reads the cases of a table and what shows them', () => {
  expect(rowsOf('| case | shown by |\n| --- | --- |\n| F1 | [a](b.ts) |\n| I1 | no |')).toEqual([
    { name: 'F1', shownBy: '[a](b.ts)' },
  ]);
});

it('finds cases in the titles of tests, and nowhere else', () => {
  const source = `it('sells once (F28, F38)', f); it.each(x)('retries (F3)', f); describe("late (F44)", f); // F99`;
  expect(casesIn(source)).toEqual(['F28', 'F38', 'F3', 'F44']);
});

it('is content where the linked test names the case, and where a case does not apply', () => {
  document(
    '| F1 | double click | [test](../e2e/a.e2e-spec.ts) |',
    '| F34 | locations | does not apply: one location |',
  );
  write('e2e/a.e2e-spec.ts', `it('orders once (F1)', () => {});`);
  expect(guaranteeProblems(root)).toEqual([]);
});

it('finds cases that no test shows, and tests of cases that are not in the document', () => {
  document('| F1 | double click | [test](../e2e/a.e2e-spec.ts) |', '| F2 | time-out | soon |');
  write('e2e/a.e2e-spec.ts', `it('orders once (F7)', () => {});`);
  expect(guaranteeProblems(root)).toEqual([
    'docs/guarantees.md: F1 is said to be shown by e2e/a.e2e-spec.ts, where no test names it',
    'docs/guarantees.md: F2 links to no test',
    'e2e/a.e2e-spec.ts names F7, which docs/guarantees.md does not have',
  ]);
});
