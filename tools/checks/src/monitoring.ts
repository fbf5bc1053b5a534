// monitoring/ and docs/runbooks/ beside the code: rules and dashboards ask for nothing that no process tells, every alert has a page
// and a test, and every dashboard is one that Grafana's types know.
import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { METRICS } from '@souk/telemetry/names';
import { findPromtool } from '@souk/infra';
import { parse } from 'yaml';
import { capture } from './processes.ts';
import { namesIn } from './promql.ts';

const RUNBOOKS = 'docs/runbooks';
/** What Prometheus itself adds to whatever it reads. */
const ADDED = ['job', 'instance'];
/** What others tell. */
const FOREIGN: Readonly<Record<string, readonly string[]>> = {
  up: [],
  process_cpu_seconds_total: [],
  process_resident_memory_bytes: [],
  nodejs_eventloop_lag_p99_seconds: [],
  node_filesystem_avail_bytes: ['mountpoint', 'fstype'],
  node_filesystem_size_bytes: ['mountpoint', 'fstype'],
};

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Asked {
  readonly where: string;
  readonly expr: string;
}

/** Metrics and labels that rules or dashboards ask for and nobody tells. */
export function unknownNames(root: string): string[] {
  const rules = rulesOf(root);
  const known = knownMetrics(rules);
  const asked: Asked[] = [
    ...rules.map(({ alert, record, expr }) => ({ where: alert ?? record ?? '', expr })),
    ...dashboards(root).flatMap(queriesOf),
  ];
  return asked.flatMap(({ where, expr }) => unknownIn(expr, known).map((problem) => `${where}: ${problem}`));
}

/** Alerts without a page or a test, pages and tests without an alert. */
export function unexplainedAlerts(root: string): string[] {
  const alerts = rulesOf(root).filter(({ alert }) => alert);
  const names = new Set(alerts.map(({ alert }) => alert));
  const pages = readdirSync(join(root, RUNBOOKS)).filter((file) => file !== 'README.md');
  const index = readFileSync(join(root, RUNBOOKS, 'README.md'), 'utf8');
  const tested = testedAlerts(root);
  return [
    ...alerts.flatMap(({ alert = '', annotations }) => {
      const page = `${RUNBOOKS}/${alert}.md`;
      const has = pages.includes(`${alert}.md`);
      return [
        ...(has ? [] : [`${alert} has no page ${page}`]),
        ...(has && !/^ {4}npm run ops --\s/m.test(readFileSync(join(root, page), 'utf8'))
          ? [`${page} names no command`]
          : []),
        ...(annotations?.['runbook'] === page ? [] : [`${alert} does not name ${page} as its runbook`]),
        ...(index.includes(`(${alert}.md)`) ? [] : [`${RUNBOOKS}/README.md does not list ${alert}`]),
        ...(tested.has(alert) ? [] : [`${alert} has no test in monitoring/tests`]),
      ];
    }),
    ...pages
      .filter((page) => !names.has(basename(page, '.md')))
      .map((page) => `${RUNBOOKS}/${page} belongs to no alert`),
  ];
}

/** What promtool says of rules, tests and queries; undefined where there is none to ask. */
export async function promtoolProblems(root: string): Promise<string[] | undefined> {
  const promtool = await findPromtool();
  if (!promtool) return undefined;
  const folder = join(root, 'monitoring');
  const queries = mkdtempSync(join(root, 'node_modules/.cache-'));
  try {
    const file = join(queries, 'queries.yml');
    writeFileSync(
      file,
      JSON.stringify({ groups: [{ name: 'dashboards', rules: dashboards(root).flatMap(queriesOf).map(asRule) }] }),
    );
    const runs = [
      await capture(promtool, [
        'check',
        'rules',
        ...globSync('rules/*.yml', { cwd: folder }).map((path) => join(folder, path)),
        file,
      ]),
      await capture(promtool, ['check', 'config', join(folder, 'prometheus.yml')]),
      await capture(promtool, [
        'test',
        'rules',
        ...globSync('tests/*.yml', { cwd: folder }).map((path) => join(folder, path)),
      ]),
    ];
    return runs.filter(({ exitCode }) => exitCode !== 0).map(({ output }) => output.trim());
  } finally {
    rmSync(queries, { recursive: true });
  }
}

/** What the types of Grafana's dashboards say of ours. */
export async function dashboardProblems(root: string): Promise<string[]> {
  const folder = mkdtempSync(join(root, 'node_modules/.cache-'));
  try {
    const types = join(root, 'node_modules/@grafana/schema/dist/types/raw/dashboard/x/types.gen');
    const files = dashboards(root).map(({ name, text }) => {
      const file = join(folder, `${name}.ts`);
      writeFileSync(
        file,
        `import type { Dashboard } from '${types}';\nexport const dashboard: Partial<Dashboard> = ${text};\n`,
      );
      return file;
    });
    const options = [
      '--noEmit',
      '--strict',
      '--skipLibCheck',
      '--ignoreConfig',
      '--module',
      'esnext',
      '--moduleResolution',
      'bundler',
    ];
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    const { exitCode, output } = await capture(process.execPath, [
      tsc,
      ...options,
      '--pretty',
      'false',
      '--types',
      'node',
      ...files,
    ]);
    return exitCode === 0 ? [] : [output.trim()];
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function rulesOf(root: string): Rule[] {
  const files = globSync('monitoring/rules/*.yml', { cwd: root });
  return files.flatMap((file) => {
    const { groups } = parse(readFileSync(join(root, file), 'utf8')) as { groups: { rules: Rule[] }[] };
    return groups.flatMap(({ rules }) => rules);
  });
}

function testedAlerts(root: string): Set<string> {
  const files = globSync('monitoring/tests/*.yml', { cwd: root });
  const tests = files.flatMap((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return (parse(text) as { tests: { alert_rule_test: { alertname: string; exp_alerts: unknown[] }[] }[] }).tests;
  });
  const cases = tests.flatMap(({ alert_rule_test: list }) => list);
  return new Set(cases.filter(({ exp_alerts: expected }) => expected.length > 0).map(({ alertname }) => alertname));
}

interface DashboardFile {
  readonly name: string;
  readonly text: string;
}

function dashboards(root: string): DashboardFile[] {
  return globSync('monitoring/dashboards/*.json', { cwd: root }).map((file) => ({
    name: basename(file, '.json'),
    text: readFileSync(join(root, file), 'utf8'),
  }));
}

function queriesOf({ name, text }: DashboardFile): Asked[] {
  const { panels } = JSON.parse(text) as { panels: { title: string; targets: { expr: string }[] }[] };
  return panels.flatMap(({ title, targets }) =>
    targets.map(({ expr }) => ({ where: `${name}.json, ${title}`, expr: expr.replaceAll('$__rate_interval', '5m') })),
  );
}

function asRule({ expr }: Asked, index: number) {
  return { record: `query:${index}`, expr };
}

/** What each name that may be asked for is told apart by. */
function knownMetrics(rules: readonly Rule[]): Map<string, readonly string[]> {
  const known = new Map<string, readonly string[]>(Object.entries(FOREIGN));
  for (const [name, { type, labels }] of Object.entries(METRICS)) {
    if (type !== 'histogram') known.set(name, labels);
    else
      for (const suffix of ['count', 'sum', 'bucket'])
        known.set(`${name}_${suffix}`, suffix === 'bucket' ? [...labels, 'le'] : labels);
  }
  for (const { record, expr } of rules) if (record) known.set(record, namesIn(expr).groupedBy);
  return known;
}

function unknownIn(expression: string, known: ReadonlyMap<string, readonly string[]>): string[] {
  const { metrics, groupedBy } = namesIn(expression);
  const has = (metric: string, label: string) => ADDED.includes(label) || known.get(metric)?.includes(label) === true;
  return [
    ...(metrics.length === 0 ? [`${expression} asks for nothing`] : []),
    ...metrics.filter(({ name }) => !known.has(name)).map(({ name }) => `nobody tells ${name}`),
    ...metrics.flatMap(({ name, labels }) =>
      labels.filter((label) => !has(name, label)).map((label) => `${name} has no label ${label}`),
    ),
    ...groupedBy
      .filter((label) => !metrics.some(({ name }) => has(name, label)))
      .map((label) => `nothing in it has the label ${label}`),
  ];
}
