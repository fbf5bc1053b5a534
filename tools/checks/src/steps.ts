// The steps of `npm test`, in their order. A check finds problems; no problem is a pass. Tests count themselves.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  fixtureProblems,
  handlerProblems,
  readContract,
  undocumented,
  unpublishedEvents,
  type Contract,
} from './contracts.ts';
import { badExceptions, knownWeaknesses, lockFile } from './audit/audit.ts';
import { integrityProblems, licenceProblems } from './audit/lock-file.ts';
import { brokenLinks, missingScripts } from './doc-links.ts';
import { accessProblems, PERMISSIONS_PAGE, permissionsPage, readAccess, readGrants } from './permissions.ts';
import { dependencyProblems } from './dependencies.ts';
import { guaranteeProblems } from './guarantees.ts';
import { importCycles } from './import-cycles.ts';
import { dashboardProblems, promtoolProblems, unexplainedAlerts, unknownNames } from './monitoring.ts';
import { capture, nodeScript, show } from './processes.ts';
import { ROOT } from './projects.ts';
import { tallyOfJest, type JestReport, type Tally } from './tally.ts';

export interface Check {
  step: string;
  name: string;
  /** Undefined where this machine lacks what the check needs: it is skipped, by name. */
  problems(): Promise<string[] | undefined> | string[];
  /** What is said of it then. */
  skipped?: string;
}

/** Integration tests wait more than they reckon: two at a time even on one core. */
const WORKERS = Math.max(1, availableParallelism() - 1);

export const CHECKS: readonly Check[] = [
  tool('format', 'files are formatted', 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'),
  tool('lint', 'lint rules hold', 'node_modules/eslint/bin/eslint.js', '--max-warnings', '0', '.'),
  tool('types', 'types fit', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--pretty', 'false'),
  tool('contracts', 'proto files keep to the style', 'node_modules/@bufbuild/buf/bin/buf', 'lint', 'proto'),
  tool('contracts', 'generated code is fresh', 'tools/checks/src/generate-proto.ts', '--check'),
  contract('each event has a fixture', fixtureProblems),
  contract('each event has a publisher', unpublishedEvents),
  contract('each RPC has a handler with a rule', handlerProblems),
  contract('each RPC and route says who may use it', unguarded),
  contract('the page of permissions is fresh', stalePermissions),
  contract('READMEs name services, RPCs and events', undocumented),
  { step: 'cycles', name: 'nothing imports itself in a circle', problems: () => importCycles(ROOT) },
  { step: 'dependencies', name: 'projects declare what they import', problems: () => dependencyProblems(ROOT) },
  { step: 'audit', name: 'packages are held to hashes', problems: () => integrityProblems(lockFile()) },
  { step: 'audit', name: 'licences of what is delivered are permissive', problems: () => licenceProblems(lockFile()) },
  { step: 'audit', name: 'exceptions have a reason and an end', problems: badExceptions },
  {
    step: 'audit',
    name: 'nothing has a known weakness',
    problems: knownWeaknesses,
    skipped: 'could not ask the registry: not checked',
  },
  { step: 'links', name: 'links between documents lead somewhere', problems: () => brokenLinks(ROOT) },
  { step: 'links', name: 'documents name scripts that exist', problems: () => missingScripts(ROOT) },
  { step: 'guarantees', name: 'tests show what docs/guarantees.md says', problems: () => guaranteeProblems(ROOT) },
  monitoring('rules and dashboards ask for what is told', unknownNames),
  monitoring('each alert has a runbook and a test', unexplainedAlerts),
  monitoring('dashboards are of the form that Grafana knows', dashboardProblems),
  monitoring('promtool finds rules right, and alerts fire as tested', promtoolProblems),
  tool('build', 'everything builds', 'node_modules/nx/dist/bin/nx.js', 'run-many', '-t', 'build'),
  tool('simulate', 'no seed breaks a promise', 'simulation/src/main.ts', '--runs', '10000'),
];

export interface JestRun {
  step: string;
  config: string;
  options: string[];
  /** What its tests see in their environment besides. */
  env?: NodeJS.ProcessEnv;
  exists(): boolean;
}

/** The steps that are jest runs. Whole journeys share the machine: their configuration says that they run one by one. */
export const JEST_RUNS: readonly JestRun[] = [
  { step: 'jest', config: 'jest.config.cjs', options: [`--maxWorkers=${WORKERS}`], exists: () => true },
  { step: 'e2e', config: 'e2e/jest.config.cjs', options: [], exists: () => existsSync(join(ROOT, 'e2e')) },
  // The shop's journeys once more, with every call between services over TLS: those that ask no service directly.
  {
    step: 'e2e-tls',
    config: 'e2e/jest.config.cjs',
    options: ['--testPathIgnorePatterns=operations|permissions|hostile-input|secrets'],
    env: { SOUK_TLS: 'on' },
    exists: () => existsSync(join(ROOT, 'e2e')),
  },
];

/** A program that prints as it goes, and says by its exit code whether all is well. */
export interface ProgramRun {
  step: string;
  name: string;
  script: string;
  options: string[];
}

export const PROGRAM_RUNS: readonly ProgramRun[] = [
  {
    step: 'chaos',
    name: 'Souk keeps its promises while it is broken',
    script: 'tools/chaos/src/main.ts',
    options: ['--minutes', '1.5', '--seed', '2'],
  },
];

/** Runs a program. @returns whether all is well */
export async function runProgram({ script, options }: ProgramRun): Promise<boolean> {
  return (await show(...nodeScript(script, ...options))) === 0;
}

/** Runs jest, which prints as it goes, and counts what it reports. */
export async function runJest({ config, options, env }: JestRun, filters: readonly string[]): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'souk-jest-'));
  const report = join(folder, 'report.json');
  try {
    const script = join(ROOT, 'node_modules/jest/bin/jest.js');
    const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
    const reporting = ['--json', `--outputFile=${report}`];
    const args = [...flags, script, '-c', config, ...options, ...reporting, ...filters];
    const exitCode = await show(process.execPath, args, env);
    return tallyOfJest(reportIn(report), exitCode);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function reportIn(file: string): JestReport | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as JestReport) : undefined;
}

function tool(step: string, name: string, script: string, ...args: string[]): Check {
  const problems = async () => {
    const { exitCode, output } = await capture(...nodeScript(script, ...args));
    return exitCode === 0 ? [] : [output.trim() || `${script} ended with exit code ${exitCode} and said nothing.`];
  };
  return { step, name, problems };
}

function monitoring(name: string, check: (root: string) => ReturnType<Check['problems']>): Check {
  return { step: 'monitoring', name, problems: () => check(ROOT) };
}

type ContractCheck = (contract: Contract, root: string) => string[] | Promise<string[]>;

function contract(name: string, check: ContractCheck): Check {
  return { step: 'contracts', name, problems: async () => check(await readContract(), ROOT) };
}

async function unguarded(contract: Contract, root: string): Promise<string[]> {
  const apps = readdirSync(join(root, 'apps'));
  return accessProblems(readAccess(contract, root), await readGrants(root), apps);
}

async function stalePermissions(contract: Contract, root: string): Promise<string[]> {
  const file = join(root, PERMISSIONS_PAGE);
  const page = permissionsPage(readAccess(contract, root), await readGrants(root));
  const isFresh = existsSync(file) && readFileSync(file, 'utf8') === page;
  return isFresh ? [] : [`${PERMISSIONS_PAGE} is stale: run \`npm run generate\`.`];
}
