// Which project may import which: decided by the tags in their package.json, for every import and export of every file.
import { dirname, posix, relative } from 'node:path';
import type { Rule } from 'eslint';
import { projectOfFile, type Project } from '../projects.ts';

/** What a project of a type may import besides itself. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  app: ['platform', 'kernel', 'contract'],
  platform: ['platform', 'kernel', 'contract'],
  kernel: ['kernel'],
  contract: [],
  testing: ['testing', 'tool', 'platform', 'kernel', 'contract'],
  tool: ['tool', 'platform', 'kernel', 'contract'],
};

const IS_TEST = /[.-]spec\.ts$|\/test\/|^e2e\//;

/**
 * Why a file must not import something; undefined where it may.
 * @param file importing file, relative to the root
 * @param specifier what stands after `from`
 */
export function refusedImport(projects: readonly Project[], file: string, specifier: string): string | undefined {
  const from = projectOfFile(projects, file);
  if (!from) return undefined;
  if (specifier.startsWith('.')) return refusedPath(from, file, specifier);
  const name = /^@souk\/[^/]+/.exec(specifier)?.[0];
  if (!name || name === from.name) return undefined;
  const to = projects.find((project) => project.name === name);
  if (!to) return `There is no project ${name}.`;
  return refusedProject(from, to, file, specifier.slice(name.length));
}

function refusedPath(from: Project, file: string, specifier: string): string | undefined {
  const target = posix.join(dirname(file), specifier);
  if (!target.startsWith(`${from.folder}/`))
    return `"${specifier}" leaves ${from.folder}: import other projects by their name.`;
  if (from.folder === 'e2e') return undefined;
  const suffix = from.folder.startsWith('tools/') ? '.ts' : '.js';
  const wrongSuffix = suffix === '.js' ? '.ts' : '.js';
  if (specifier.endsWith(wrongSuffix)) return `Relative imports end with ${suffix} in ${from.folder}.`;
  return undefined;
}

function refusedProject(from: Project, to: Project, file: string, subpath: string): string | undefined {
  if (/^\/(src|dist)(\/|$)/.test(subpath)) return `${to.name}${subpath} is private to ${to.name}: import ${to.name}.`;
  const isTest = IS_TEST.test(file);
  if (subpath === '/testing' && !isTest && from.type !== 'testing') return `${to.name}/testing is for tests only.`;
  if (to.type === 'testing' && isTest) return undefined;
  if (to.type === 'testing' && from.type !== 'testing') return `${to.name} is for tests only.`;
  if (MAY_IMPORT[from.type]?.includes(to.type)) return undefined;
  return `type:${from.type} (${from.name}) must not import type:${to.type} (${to.name}).`;
}

/** The rule for eslint. */
export function boundaries(root: string, projects: readonly Project[]): Rule.RuleModule {
  return {
    meta: { type: 'problem', schema: [] },
    create(context) {
      const file = relative(root, context.filename);
      const check = (node: Rule.Node & { source?: unknown }) => {
        const specifier = literalOf(node.source);
        const message = specifier === undefined ? undefined : refusedImport(projects, file, specifier);
        if (message) context.report({ node, message });
      };
      return {
        ImportDeclaration: check,
        ImportExpression: check,
        ExportNamedDeclaration: check,
        ExportAllDeclaration: check,
      };
    },
  };
}

function literalOf(source: unknown): string | undefined {
  const value = (source as { value?: unknown } | null | undefined)?.value;
  return typeof value === 'string' ? value : undefined;
}
