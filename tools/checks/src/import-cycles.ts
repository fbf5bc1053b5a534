// Files that import each other in a circle, and projects that do.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { runtimeImports } from './imports.ts';
import { projectOfFile, workspaceProjects } from './projects.ts';

type Graph = Map<string, string[]>;

const SOURCES = ['{apps,libs,tools}/*/{src,test}/**/*.ts', 'e2e/**/*.ts'];
const IS_TEST = /[.-]spec\.ts$|\/test\/|^e2e\//;

/** The circles of the workspace, as `a → b → a`. */
export function importCycles(root: string): string[] {
  const files = globSync(SOURCES, { cwd: root });
  const imports = new Map(files.map((file) => [file, runtimeImports(file, readFileSync(join(root, file), 'utf8'))]));
  const betweenFiles = new Map([...imports].map(([file, specifiers]) => [file, neighbours(file, specifiers)]));
  return [...cyclesOf(betweenFiles), ...cyclesOf(projectGraph(root, imports))].map((cycle) => cycle.join(' → '));
}

/** One circle for each group of nodes that reach each other; its first node stands at the end again. */
export function cyclesOf(graph: Graph): string[][] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (node: string, path: string[]): void => {
    const start = path.indexOf(node);
    if (start >= 0) cycles.push([...path.slice(start), node]);
    if (start >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return cycles;
}

function neighbours(file: string, specifiers: string[]): string[] {
  const relatives = specifiers.filter((specifier) => specifier.startsWith('.'));
  return relatives.map((specifier) => posix.join(dirname(file), specifier).replace(/\.js$/, '.ts'));
}

/** Tests may use what is built on top of their project; what is delivered may not. */
function projectGraph(root: string, imports: ReadonlyMap<string, string[]>): Graph {
  const projects = workspaceProjects(root);
  const graph: Graph = new Map();
  for (const [file, specifiers] of imports) {
    const from = projectOfFile(projects, file)?.name;
    if (!from || IS_TEST.test(file)) continue;
    const names = specifiers.flatMap((specifier) => /^@souk\/[^/]+/.exec(specifier) ?? []);
    const others = names.filter((name) => name !== from);
    graph.set(from, [...new Set([...(graph.get(from) ?? []), ...others])]);
  }
  return graph;
}
