// The contracts in proto/ beside what the apps make of them: nothing is promised that nobody keeps.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { handlersIn, type Handler } from './handlers.ts';
import { capture, nodeScript } from './processes.ts';

/** What proto/ promises. `app` is the folder of the service that keeps it. */
export interface Contract {
  events: { app: string; fullName: string }[];
  services: Service[];
}

/** A service of gRPC; `fullName` with its package. */
export interface Service {
  app: string;
  name: string;
  fullName: string;
  rpcs: string[];
}

interface ProtoFile {
  name: string;
  package: string;
  messageType?: { name: string }[];
  service?: { name: string; method?: { name: string }[] }[];
}

/** What several services serve alike is kept by a library. */
const KEPT_BY_LIBRARIES = ['audit', 'operations', 'privacy'];

function folderOf(service: string): string {
  return `${KEPT_BY_LIBRARIES.includes(service) ? 'libs' : 'apps'}/${service}`;
}

/** Reads proto/ by buf. */
export async function readContract(): Promise<Contract> {
  const build = nodeScript('node_modules/@bufbuild/buf/bin/buf', 'build', 'proto', '-o', '-#format=json');
  const { exitCode, stdout, output } = await capture(...build);
  if (exitCode !== 0) throw new Error(output);
  const files = (JSON.parse(stdout) as { file: ProtoFile[] }).file.filter((file) => file.package.startsWith('souk.'));
  const appOf = (file: ProtoFile) => folderOf(file.package.split('.')[1] ?? '');
  const events = files.filter((file) => file.name.endsWith('_events.proto'));
  return {
    events: events.flatMap((file) =>
      (file.messageType ?? []).map(({ name }) => ({ app: appOf(file), fullName: `${file.package}.${name}` })),
    ),
    services: files.flatMap((file) =>
      (file.service ?? []).map(({ name, method = [] }) => ({
        app: appOf(file),
        name,
        fullName: `${file.package}.${name}`,
        rpcs: method.map((rpc) => rpc.name),
      })),
    ),
  };
}

/** Events without a fixture in proto/fixtures/, fixtures that are no JSON, and fixtures of events that do not exist. */
export function fixtureProblems({ events }: Contract, root: string): string[] {
  const fixtures = globSync('proto/fixtures/*.json', { cwd: root });
  const names = new Set(events.map((event) => event.fullName));
  const missing = events.filter(({ fullName }) => !existsSync(join(root, `proto/fixtures/${fullName}.json`)));
  return [
    ...missing.map(({ fullName }) => `${fullName} has no fixture proto/fixtures/${fullName}.json`),
    ...fixtures.filter((file) => !names.has(basename(file, '.json'))).map((file) => `${file} belongs to no event`),
    ...fixtures.filter((file) => !isJson(readFileSync(join(root, file), 'utf8'))).map((file) => `${file} is no JSON`),
  ];
}

/** Events that their service's code never names. */
export function unpublishedEvents({ events }: Contract, root: string): string[] {
  const unnamed = events.filter(({ app, fullName }) => {
    const name = new RegExp(`\\b${shortName(fullName)}\\b`);
    return !sourcesOf(root, app).some((source) => name.test(withoutComments(source.text)));
  });
  return unnamed.map(({ app, fullName }) => `${fullName} is published nowhere in ${app}/src`);
}

/** Events, services and RPCs that the README of their app does not mention. */
export function undocumented({ events, services }: Contract, root: string): string[] {
  const promises = [
    ...events.map(({ app, fullName }) => ({ app, name: shortName(fullName) })),
    ...services.flatMap(({ app, name, rpcs }) => [name, ...rpcs].map((word) => ({ app, name: word }))),
  ];
  return promises
    .filter(({ app, name }) => !mentions(root, app, name))
    .map(({ app, name }) => `${app}/README.md: ${name}`);
}

/** RPCs without a method in a controller of their service, and methods that do not say who may call them. */
export function handlerProblems({ services }: Contract, root: string): string[] {
  return services.flatMap((service) => {
    const { app, name, rpcs } = service;
    const handlers = handlersOfService(service, root);
    return rpcs.flatMap((rpc) => {
      const found = handlers.filter((handler) => handler.method === lowerFirst(rpc));
      return problemsOf(found).map((problem) => `${app}: ${name}.${rpc} ${problem}`);
    });
  });
}

/** The methods that answer the RPCs of a service. */
export function handlersOfService({ app, name }: Service, root: string): Handler[] {
  const handlers = sourcesOf(root, app).flatMap((source) => handlersIn(source.file, source.text));
  return handlers.filter((handler) => handler.service === name);
}

function problemsOf(handlers: Handler[]): string[] {
  if (handlers.length !== 1) return [handlers.length === 0 ? 'has no handler' : 'has several handlers'];
  return handlers[0]?.rules ? [] : ['lacks @Allow'];
}

function sourcesOf(root: string, app: string): { file: string; text: string }[] {
  const files = globSync(`${app}/src/**/*.ts`, { cwd: root }).filter((file) => !file.endsWith('spec.ts'));
  return files.map((file) => ({ file, text: readFileSync(join(root, file), 'utf8') }));
}

function mentions(root: string, app: string, name: string): boolean {
  const readme = join(root, app, 'README.md');
  return existsSync(readme) && new RegExp(`\\b${name}\\b`).test(readFileSync(readme, 'utf8'));
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[^]*?\*\/|\/\/.*$/gm, '');
}

function shortName(fullName: string): string {
  return fullName.slice(fullName.lastIndexOf('.') + 1);
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}
