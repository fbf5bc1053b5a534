// docs/guarantees.md beside the tests: each failure case of its table is shown by a test that names it, and no test names a
// case that the table does not have.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { linksOf } from './doc-links.ts';

const DOCUMENT = 'docs/guarantees.md';
const TESTS = '{apps,libs,tools,e2e,simulation}/**/*{.spec,-spec}.ts';
const CASE = /\bF\d{1,2}\b/g;
/** First argument of a test, also of one made by `it.each(table)`. */
const TITLE = /(?:\b(?:it|test|describe)(?:\.\w+)*|\))\s*\(\s*(?:'([^']*)'|`([^`]*)`|"([^"]*)")/g;
/** Says in the last cell of a row why there is nothing to show. */
const DOES_NOT_APPLY = /^does not apply/i;

/** A failure case as the document tells it. */
export interface Row {
  readonly name: string;
  /** Last cell: links to the tests, or why the case does not apply. */
  readonly shownBy: string;
}

/** What the document promises and no test shows, and what tests name and the document does not have. */
export function guaranteeProblems(root: string): string[] {
  const rows = rowsOf(readFileSync(join(root, DOCUMENT), 'utf8'));
  const tests = new Map(testFiles(root).map((file) => [file, casesIn(readFileSync(join(root, file), 'utf8'))]));
  const known = new Set(rows.map(({ name }) => name));
  const strangers = [...tests].flatMap(([file, cases]) =>
    cases.filter((name) => !known.has(name)).map((name) => `${file} names ${name}, which ${DOCUMENT} does not have`),
  );
  return [...rows.flatMap((row) => problemsOf(row, root, tests)), ...strangers];
}

/** The rows of the tables whose first cell is the name of a case. */
export function rowsOf(markdown: string): Row[] {
  return markdown.split('\n').flatMap((line) => {
    const cells = line.split('|').map((cell) => cell.trim());
    const [, name = '', ...rest] = cells;
    return /^F\d{1,2}$/.test(name) ? [{ name, shownBy: rest.at(-2) ?? '' }] : [];
  });
}

/** Cases that the titles of a test file's tests name. */
export function casesIn(source: string): string[] {
  const titles = source.matchAll(TITLE);
  const names = [...titles].flatMap(([, ...texts]) => texts.join('').match(CASE) ?? []);
  return [...new Set(names)];
}

function problemsOf({ name, shownBy }: Row, root: string, tests: ReadonlyMap<string, string[]>): string[] {
  if (DOES_NOT_APPLY.test(shownBy)) return [];
  const files = linksOf(shownBy).map((link) => join('docs', link));
  if (files.length === 0) return [`${DOCUMENT}: ${name} links to no test`];
  return files
    .filter((file) => existsSync(join(root, file)) && !tests.get(file)?.includes(name))
    .map((file) => `${DOCUMENT}: ${name} is said to be shown by ${file}, where no test names it`);
}

function testFiles(root: string): string[] {
  return globSync(TESTS, { cwd: root, exclude: (name) => /(^|\/)(node_modules|dist)(\/|$)/.test(name) });
}
