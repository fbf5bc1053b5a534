// Relative links in Markdown files lead to a file that exists, and to a heading in it where they name one.
import { existsSync, globSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

const IGNORED = /(^|\/)(node_modules|dist|\.[^/]+)(\/|$)/;

/** Broken links of all Markdown files below the root, as `file: link`. */
export function brokenLinks(root: string): string[] {
  return markdownFiles(root).flatMap((file) => {
    const links = linksOf(readFileSync(join(root, file), 'utf8'));
    return links.filter((link) => !leadsSomewhere(root, file, link)).map((link) => `${file}: ${link}`);
  });
}

/** Scripts that Markdown files tell to run and package.json does not have, as `file: npm run script`. */
export function missingScripts(root: string): string[] {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  return markdownFiles(root).flatMap((file) => {
    const names = scriptsIn(readFileSync(join(root, file), 'utf8'));
    return names.filter((name) => !Object.hasOwn(scripts, name)).map((name) => `${file}: npm run ${name}`);
  });
}

/** Names of the scripts that a text tells to run by `npm run`. */
export function scriptsIn(text: string): string[] {
  return [...text.matchAll(/\bnpm run (?:--?[\w-]+ )*([\w:-]+)/g)].map((match) => match[1] ?? '');
}

function markdownFiles(root: string): string[] {
  return globSync('**/*.md', { cwd: root, exclude: (name) => IGNORED.test(name) });
}

/** Targets of the links in a Markdown text, without those to other hosts. */
export function linksOf(markdown: string): string[] {
  const text = withoutCode(markdown);
  const inline = [...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)];
  const references = [...text.matchAll(/^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?\s*$/gm)];
  return [...inline, ...references]
    .map((match) => match[1] ?? '')
    .filter((link) => !/^([a-z][a-z0-9+.-]*:|\/\/)/i.test(link));
}

/** The anchors of a Markdown text's headings, as GitHub makes them. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of withoutCode(markdown, /^(```|~~~)[^]*?^\1/gm).matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const anchor = anchorOf(heading);
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count += 1) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

function anchorOf(heading: string): string {
  const words = heading.toLowerCase().replace(/\[([^\]]*)\]\([^)]*\)/g, '$1');
  return words.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
}

function withoutCode(markdown: string, code = /^(```|~~~)[^]*?^\1|`[^`\n]*`/gm): string {
  return markdown.replace(code, '');
}

function leadsSomewhere(root: string, file: string, link: string): boolean {
  const [path = '', anchor] = decodeURI(link).split('#');
  const target =
    path === '' ? join(root, file) : path.startsWith('/') ? join(root, path) : join(root, dirname(file), path);
  if (!existsSync(target)) return false;
  if (!anchor || !target.endsWith('.md') || !statSync(target).isFile()) return true;
  return anchorsOf(readFileSync(target, 'utf8')).has(anchor);
}
