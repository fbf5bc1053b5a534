/** The mails of a Souk, which lie in its folder. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchedSouk } from '@souk/runner/launch';
import { eventually } from '@souk/testing';

const LINK = /https?:\/\/[^\s"<>]+\/(\w+)#([\w-]{43})/;

/** The mails to an address, oldest first, as they would be read. */
export function mailsTo(souk: Pick<LaunchedSouk, 'dataDir'>, address: string): string[] {
  const folder = join(souk.dataDir, 'mail');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((name) => name.endsWith('.eml'));
  return files
    .map((name) => join(folder, name))
    .map((file) => ({ text: readFileSync(file, 'utf8'), time: statSync(file).mtimeMs }))
    .filter(({ text }) => text.split('\n').some((line) => line.toLowerCase() === `to: ${address.toLowerCase()}`))
    .sort((one, other) => one.time - other.time)
    .map(({ text }) => readable(text));
}

/** What stands after the `#` of the newest link to that page of the shop, once a mail with one is there. */
export function linkIn(souk: Pick<LaunchedSouk, 'dataDir'>, address: string, page: string): Promise<string> {
  return eventually(
    () => {
      const links = mailsTo(souk, address).flatMap((mail) => LINK.exec(mail) ?? []);
      const index = links.lastIndexOf(page);
      if (index < 0) throw new Error(`No mail to ${address} leads to ${page}.`);
      return links[index + 1] ?? '';
    },
    { timeoutMs: 20_000 },
  );
}

/** Without the soft ends of lines and the escapes of quoted-printable. */
function readable(text: string): string {
  return text
    .replace(/=\n/g, '')
    .replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
