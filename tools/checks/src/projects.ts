// The projects of the workspace: every folder with a package.json below apps/, libs/ and tools/, and what its tags say of it.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The root of the workspace. */
export const ROOT = resolve(import.meta.dirname, '../../..');

/** One project. `type` is what follows `type:` in its tags; the end-to-end tests count as a tool. */
export interface Project {
  name: string;
  folder: string;
  type: string;
}

interface Manifest {
  name: string;
  nx?: { tags?: string[] };
}

/** All projects below the root, e2e/ included. */
export function workspaceProjects(root: string = ROOT): Project[] {
  const folders = ['apps', 'libs', 'tools'].flatMap((group) => foldersOf(root, group));
  const projects = folders
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => projectOf(folder, readFileSync(join(root, folder, 'package.json'), 'utf8')));
  return [...projects, { name: '@souk/e2e', folder: 'e2e', type: 'tool' }];
}

/** The project that a file belongs to; the path is relative to the root. */
export function projectOfFile(projects: readonly Project[], file: string): Project | undefined {
  return projects.find((project) => file === project.folder || file.startsWith(`${project.folder}/`));
}

function foldersOf(root: string, group: string): string[] {
  if (!existsSync(join(root, group))) return [];
  return readdirSync(join(root, group)).map((name) => `${group}/${name}`);
}

function projectOf(folder: string, manifest: string): Project {
  const { name, nx } = JSON.parse(manifest) as Manifest;
  const tag = nx?.tags?.find((candidate) => candidate.startsWith('type:'));
  if (!tag) throw new Error(`${folder}/package.json has no tag type:… in nx.tags.`);
  return { name, folder, type: tag.slice('type:'.length) };
}
