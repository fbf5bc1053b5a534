// docs/personal-data.md, where every column of every database and every field of what is published is said to be about a person or
// not. A new one is a problem until somebody has decided what it is, and what becomes of it when its person is erased.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, nodeScript } from './processes.ts';

export const PERSONAL_DATA_PAGE = 'docs/personal-data.md';

/** Names within something that has them: columns of a table, fields of a message. */
export type Names = ReadonlyMap<string, readonly string[]>;

interface Field {
  readonly name: string;
  readonly typeName?: string;
}

interface MessageType {
  readonly name: string;
  readonly field?: readonly Field[];
  readonly nestedType?: readonly MessageType[];
}

interface ProtoFile {
  readonly name: string;
  readonly package: string;
  readonly messageType?: readonly MessageType[];
}

/** What the section of the page says: `| orders | email | customer_id |`, personal ones before the others. */
export function classified(page: string, section: string): Names {
  const [, text = ''] = page.split(`\n## ${section}\n`);
  const rows = (text.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| `'));
  return new Map(
    rows.map((row) => {
      const [, owner = '', personal = '', others = ''] = row.split('|').map((cell) => cell.trim());
      return [words(owner)[0] ?? '', [...words(personal), ...words(others)]];
    }),
  );
}

/** What is there and not on the page, what is on the page and not there, and what is on it twice. */
export function classificationProblems(section: string, there: Names, page: Names): string[] {
  const flat = (names: Names) => [...names].flatMap(([owner, all]) => all.map((name) => `${owner}.${name}`));
  const [present, told] = [flat(there), flat(page)];
  const [known, existing] = [new Set(told), new Set(present)];
  return [
    ...present
      .filter((name) => !known.has(name))
      .map((name) => `${section}: ${name} is said neither to be about a person nor not`),
    ...told.filter((name) => !existing.has(name)).map((name) => `${section}: ${name} is on the page and nowhere else`),
    ...told.filter((name, at) => told.indexOf(name) !== at).map((name) => `${section}: ${name} is on the page twice`),
  ];
}

export function readPage(root: string): string {
  return readFileSync(join(root, PERSONAL_DATA_PAGE), 'utf8');
}

/** Fields of all that is published: of the events, and of what they are made of. */
export async function publishedFields(): Promise<Names> {
  const build = nodeScript('node_modules/@bufbuild/buf/bin/buf', 'build', 'proto', '-o', '-#format=json');
  const { exitCode, stdout, output } = await capture(...build);
  if (exitCode !== 0) throw new Error(output);
  const files = (JSON.parse(stdout) as { file: readonly ProtoFile[] }).file;
  const types = new Map(files.flatMap((file) => typesIn(`.${file.package}`, file.messageType ?? [])));
  const events = files.filter(({ name }) => name.endsWith('_events.proto'));
  const open = events.flatMap((file) => (file.messageType ?? []).map(({ name }) => `.${file.package}.${name}`));
  const found = new Map<string, readonly string[]>();
  for (let name = open.pop(); name; name = open.pop()) {
    const fields = types.get(name)?.field ?? [];
    if (found.has(name.slice(1)) || !name.startsWith('.souk.')) continue;
    found.set(
      name.slice(1),
      fields.map((field) => field.name),
    );
    open.push(...fields.flatMap(({ typeName }) => (typeName && types.has(typeName) ? [typeName] : [])));
  }
  return found;
}

function typesIn(scope: string, messages: readonly MessageType[]): (readonly [string, MessageType])[] {
  return messages.flatMap((message) => {
    const name = `${scope}.${message.name}`;
    return [[name, message] as const, ...typesIn(name, message.nestedType ?? [])];
  });
}

function words(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word);
}
