// Every command of `npm run ops` and `npm run shop` that a check, a log line or a README tells people to run is one that the command
// lines understand.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shopProgram } from '@souk/shop/program';
import type { Command } from 'commander';
import { opsProgram } from './program.ts';

const ROOT = join(import.meta.dirname, '../../..');
const TEXTS = ['README.md', 'docs/**/*.md', '{apps,libs,tools}/*/README.md', '{apps,libs,tools}/*/src/**/*.ts'];
/** `${…}` in sources, `<…>` in documents. */
const PLACEHOLDER = /\$\{([^}\n]*)\}|<([^>\n]*)>/g;
const COMMAND = /npm run (?:--silent )?(ops|shop) -- ([^`\n|#(]+)/g;

interface Told {
  where: string;
  tool: 'ops' | 'shop';
  command: string;
}

const told = TEXTS.flatMap((texts) => globSync(texts, { cwd: ROOT }))
  .filter((path) => !/spec\.ts$/.test(path))
  .flatMap((path) => commandsIn(path, readFileSync(join(ROOT, path), 'utf8')));

function commandsIn(where: string, text: string): Told[] {
  const found = [...text.replace(PLACEHOLDER, sample).matchAll(COMMAND)];
  return found
    .map(([, tool, command = '']) => ({ where, tool: tool as Told['tool'], command: command.trim() }))
    .filter(({ command }) => command !== 'ANYTHING' && command !== '--help');
}

/** What a placeholder stands for, as a value that the commands take. */
function sample(_: string, inSource: string | undefined, inDocument: string | undefined): string {
  const name = inSource ?? inDocument ?? '';
  if (name === 'command') return 'ANYTHING';
  if (/service|source/i.test(name)) return 'orders';
  if (/consumer/i.test(name)) return 'inventory-OrderConfirmed';
  return /time/i.test(name) ? '2026-05-01T12:00:00.000Z' : '7';
}

async function understood(tool: Told['tool'], command: string): Promise<void> {
  const words = [...command.matchAll(/'([^']*)'|"([^"]*)"|[^\s'"]+/g)].map(([word, a, b]) => a ?? b ?? word);
  const program = tool === 'ops' ? opsProgram(async () => undefined) : withoutDeeds(shopProgram());
  await program.parseAsync(words, { from: 'user' });
}

function withoutDeeds(program: Command): Command {
  for (const command of program.commands) command.action(() => undefined);
  return program;
}

it('finds what people are told', () => {
  const places = new Set(told.map(({ where }) => where));
  for (const place of ['apps/orders/src/checks/mends.ts', 'libs/outbox/src/outbox-relay.ts', 'tools/ops/README.md']) {
    expect(places).toContain(place);
  }
});

it.each(told)('$where: $tool $command', async ({ tool, command }) => {
  await expect(understood(tool, command)).resolves.toBeUndefined();
});

it.each([
  ['ops', 'stream mend orders'],
  ['ops', 'stream rebuild order'],
  ['ops', 'dead-letters replay'],
  ['ops', 'dead-letters replay --all --consumer inventory-OrderConfirmed'],
  ['ops', 'events replay --consumer inventory-OrderConfirmed'],
  ['ops', 'events replay --consumer inventory-OrderConfirmed --from yesterday'],
  ['ops', 'orders resume'],
  ['shop', 'mend 7'],
] as const)('refuses what nobody should be told: %s %s', async (tool, command) => {
  await expect(understood(tool, command)).rejects.toThrow();
});
