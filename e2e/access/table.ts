/** docs/permissions.md, read back: what the code promises about every route and every RPC. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Promised {
  readonly name: string;
  readonly rules: readonly string[];
}

const PAGE = readFileSync(join(__dirname, '../../docs/permissions.md'), 'utf8');

function rowsBelow(heading: string): string[][] {
  const [, section = ''] = PAGE.split(`## ${heading}\n`);
  const lines = section.split('\n## ')[0]?.split('\n') ?? [];
  return lines.filter((line) => line.startsWith('| `')).map((line) => line.split('|').map((cell) => cell.trim()));
}

const words = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
const promised = (heading: string): Promised[] =>
  rowsBelow(heading).map(([, name, rules]) => ({ name: words(name)[0] ?? '', rules: words(rules) }));

export const ROUTES = promised('Routes');
export const RPCS = promised('RPCs');
export const PERMISSIONS = rowsBelow('Permissions and roles').map(([, name]) => words(name)[0] ?? '');
