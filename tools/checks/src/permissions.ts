// Who may do what, on one page: docs/permissions.md, made of the rules that RPCs and routes declare. The walk over all of them
// fails for one without a rule, and for a rule that names nobody.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { handlersOfService, type Contract } from './contracts.ts';

export const PERMISSIONS_PAGE = 'docs/permissions.md';
const OPENAPI = 'docs/openapi.json';
const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
/** Services of Souk that have no folder in apps/: the operators' command. */
const OPERATORS = 'ops';
const WORDS = ['public', 'anyone', 'user', 'enrolling'];

/** The tables of `@souk/auth`. */
export interface Grants {
  PERMISSIONS: Record<string, string>;
  BUILT_IN_ROLES: Record<string, readonly string[]>;
  recordingOf: (name: string, admitting: readonly string[], privileged: boolean) => keyof typeof RECORDED;
}

/** One RPC or route; `rules` is undefined where it says nothing, or says it in a way that cannot be read. */
export interface Access {
  name: string;
  rules: readonly string[] | undefined;
  /** Permission by which an RPC for anyone reaches what belongs to others. */
  privilege?: string | undefined;
}

export interface AccessTable {
  routes: Access[];
  rpcs: Access[];
}

/** Reads what is declared: by the handlers of every RPC in proto/, and in the OpenAPI document for every route. */
export function readAccess({ services }: Contract, root: string): AccessTable {
  const rpcs = services.flatMap((service) => {
    const handlers = handlersOfService(service, root);
    return service.rpcs.map((rpc) => {
      const handler = handlers.find(({ method }) => method.toLowerCase() === rpc.toLowerCase());
      return { name: `${service.fullName}/${rpc}`, rules: handler?.rules, privilege: handler?.privilege };
    });
  });
  return { routes: readRoutes(root), rpcs };
}

/** The tables are read from where they are written, since checks run before anything is built. */
export async function readGrants(root: string): Promise<Grants> {
  const read = async (file: string) => (await import(pathToFileURL(join(root, 'libs/auth/src', file)).href)) as Grants;
  const { PERMISSIONS, BUILT_IN_ROLES } = await read('permissions.ts');
  const { recordingOf } = await read('recording.ts');
  return { PERMISSIONS, BUILT_IN_ROLES, recordingOf };
}

function readRoutes(root: string): Access[] {
  const { paths } = JSON.parse(readFileSync(join(root, OPENAPI), 'utf8')) as {
    paths: Record<string, Record<string, { 'x-access'?: string[] }>>;
  };
  return Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ name: `${method.toUpperCase()} ${path}`, rules: operation['x-access'] }] : [];
    }),
  );
}

/** RPCs and routes that say nothing about who may use them, or name a permission or a service that there is not. */
export function accessProblems({ routes, rpcs }: AccessTable, grants: Grants, apps: readonly string[]): string[] {
  const known = new Set([...WORDS, ...Object.keys(grants.PERMISSIONS)]);
  const services = new Set([...apps, OPERATORS].map((name) => `service:${name}`));
  const problemsOf = ({ name, rules, privilege = 'user' }: Access, may: (rule: string) => boolean) => {
    if (!known.has(privilege)) return [`${name} names ${privilege}, which there is not`];
    if (!rules?.length) return [`${name} does not say, in words, who may use it`];
    return rules.filter((rule) => !may(rule)).map((rule) => `${name} names ${rule}, which there is not`);
  };
  return [
    ...routes.flatMap((route) => problemsOf(route, (rule) => known.has(rule))),
    ...rpcs.flatMap((rpc) => problemsOf(rpc, (rule) => known.has(rule) || services.has(rule))),
  ];
}

/** Which services a rule lets call: the gateway and programs for all that is about the principal. */
export function callersOf(rules: readonly string[]): string[] {
  if (rules.includes('public')) return ['whoever reaches the port'];
  const named = rules.filter((rule) => rule.startsWith('service:')).map((rule) => rule.slice('service:'.length));
  const isAboutPrincipal = named.length < rules.length;
  return [...(isAboutPrincipal ? ['gateway', 'programs'] : []), ...named];
}

/** What the record of who did what keeps of the RPC's calls. */
export function recordedOf({ name, rules = [], privilege }: Access, recordingOf: Grants['recordingOf']): string {
  const rpc = name.slice(name.indexOf('/') + 1);
  const each = rules.map((rule) => [rule, recordingOf(rpc, [rule], false)] as const);
  const all = privilege ? [...each, [privilege, 'before'] as const] : each;
  if (new Set(all.map(([, recording]) => recording)).size === 1) return RECORDED[all[0]?.[1] ?? 'refusals'];
  return all.map(([rule, recording]) => `${code(rule)}: ${RECORDED[recording]}`).join('; ');
}

const RECORDED = { before: 'before and after', outcome: 'outcome', refusals: 'refusals' } as const;

/** The page. */
export function permissionsPage(
  { routes, rpcs }: AccessTable,
  { PERMISSIONS, BUILT_IN_ROLES, recordingOf }: Grants,
): string {
  const roles = Object.keys(BUILT_IN_ROLES);
  const permissions = Object.entries(PERMISSIONS).map(([name, text]) => [
    code(name),
    text,
    ...roles.map((role) => (BUILT_IN_ROLES[role]?.includes(name) ? 'yes' : '')),
  ]);
  const routeRows = routes.map(({ name, rules = [] }) => [code(name), rules.map(code).join(', ')]);
  const rpcRows = rpcs.map((rpc) => [
    code(rpc.name),
    (rpc.rules ?? []).map(code).join(', '),
    callersOf(rpc.rules ?? []).join(', '),
    recordedOf(rpc, recordingOf),
  ]);
  return `${INTRODUCTION}
## Permissions and roles

${table(['permission', 'opens', ...roles], permissions)}
## Routes

${table(['route', 'rule'], routeRows)}
## RPCs

${table(['RPC', 'rule', 'called by', 'recorded'], rpcRows)}`;
}

const INTRODUCTION = `# Who may do what

Written by \`npm run generate\` from the rules in the code; a check fails while it is stale, and a journey tries every pair of this
page against a whole Souk. What the rules mean is told in [\`libs/auth\`](../libs/auth/README.md); several rules are alternatives.
Whose a cart, an order, an address or a session is, the service that keeps it decides.

The last column says what the [record of who did what](../libs/audit/README.md) keeps of allowed calls: before the work and after it,
its outcome alone, or nothing. Refusals are recorded of every RPC.

Beside these the gateway serves \`/docs\` and \`/openapi.json\`, and each service gRPC's health and reflection, to whoever reaches
the port.
`;

function code(text: string): string {
  return `\`${text}\``;
}

/** In the form that prettier gives it. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(3, ...[head, ...rows].map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(' | ')} |\n`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('');
}
