// Each project declares what it imports, all of it and nothing else, so that an image of one app holds what that app needs.
// What only tests import is a devDependency, or is at the root, where the tools for everybody are.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { workspaceProjects } from './projects.ts';

interface Manifest {
  name: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
}

/** Loaded by a library, by name: @nestjs/swagger serves its page with it. */
const LOADED_BY_NAME = ['@fastify/static'];
const IS_TEST = /[.-]spec\.ts$|\/test\/|^e2e\//;

/** Every difference between what the projects import and what they declare, and every package of two versions. */
export function dependencyProblems(root: string): string[] {
  const manifest = (folder: string) => JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) as Manifest;
  const forAll = Object.keys(manifest('.').devDependencies ?? {});
  const projects = workspaceProjects(root).filter(({ folder }) => folder !== 'e2e');
  const manifests = [manifest('.'), ...projects.map(({ folder }) => manifest(folder))];
  const differences = projects.flatMap(({ folder }) => compare(manifest(folder), importsBelow(root, folder), forAll));
  return [...differences, ...severalVersions(manifests)];
}

interface Imports {
  delivered: Set<string>;
  tests: Set<string>;
}

/** What one project got wrong. */
export function compare({ name, ...declared }: Manifest, imports: Imports, forAll: readonly string[]): string[] {
  const dependencies = Object.keys(declared.dependencies ?? {});
  const forTests = [...dependencies, ...Object.keys(declared.devDependencies ?? {}), ...forAll, name];
  const used = new Set([...imports.delivered, ...LOADED_BY_NAME]);
  const missing = [
    ...[...imports.delivered].filter((id) => !dependencies.includes(id) && id !== name),
    ...[...imports.tests].filter((id) => !forTests.includes(id)),
  ];
  const unused = dependencies.filter((id) => !used.has(id));
  return [
    ...[...new Set(missing)].map((id) => `${name} imports ${id} and does not declare it.`),
    ...unused.map((id) => `${name} declares ${id} and does not import it.`),
  ];
}

function importsBelow(root: string, folder: string): Imports {
  const imports: Imports = { delivered: new Set(), tests: new Set() };
  for (const file of globSync('{src,test}/**/*.ts', { cwd: join(root, folder) })) {
    const path = `${folder}/${file}`;
    const target = IS_TEST.test(path) ? imports.tests : imports.delivered;
    packagesIn(readFileSync(join(root, path), 'utf8')).forEach((id) => target.add(id));
  }
  return imports;
}

/** The packages that a file imports, for their types too. */
export function packagesIn(text: string): string[] {
  const specifiers = ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
  return specifiers
    .filter((specifier) => !specifier.startsWith('.') && !specifier.startsWith('node:'))
    .map((specifier) =>
      specifier
        .split('/')
        .slice(0, specifier.startsWith('@') ? 2 : 1)
        .join('/'),
    );
}

function severalVersions(manifests: readonly Manifest[]): string[] {
  const versions = new Map<string, Set<string>>();
  for (const { dependencies, devDependencies } of manifests) {
    for (const [id, version] of Object.entries({ ...dependencies, ...devDependencies })) {
      versions.set(id, (versions.get(id) ?? new Set()).add(version));
    }
  }
  return [...versions].flatMap(([id, found]) =>
    found.size > 1 ? [`${id} is declared as ${[...found].join(' and ')}.`] : [],
  );
}
