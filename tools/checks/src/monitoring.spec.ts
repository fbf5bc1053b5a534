import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { unexplainedAlerts, unknownNames } from './monitoring.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'souk-monitoring-'));
  write('docs/runbooks/README.md', '');
});
afterEach(() => rmSync(root, { recursive: true }));

function write(file: string, text: string): void {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), text);
}

const PAGE = 'docs/runbooks/Lag.md';

function alert(expr: string, runbook = PAGE): void {
  write(
    'monitoring/rules/alerts.yml',
    `groups: [{rules: [{alert: Lag, expr: '${expr}', annotations: {runbook: ${runbook}}}]}]`,
  );
}

it.each([
  ['outbox_unsent{source="orders",job="souk-orders"} > 5', []],
  ['rate(rpc_server_duration_seconds_bucket{le="1"}[5m]) > 5', []],
  ['outbox_unsend > 5', ['Lag: nobody tells outbox_unsend']],
  ['outbox_unsent{sauce="orders"} > 5', ['Lag: outbox_unsent has no label sauce']],
  ['rpc_server_duration_seconds > 5', ['Lag: nobody tells rpc_server_duration_seconds']],
  ['sum by (route) (outbox_unsent) > 5', ['Lag: nothing in it has the label route']],
])('knows whether somebody tells what %s asks for', (expr, problems) => {
  alert(expr);
  expect(unknownNames(root)).toEqual(problems);
});

it('looks into the queries of dashboards', () => {
  const panels = [{ title: 'Lag', targets: [{ expr: 'rate(gone_total[$__rate_interval])' }] }];
  write('monitoring/dashboards/all.json', JSON.stringify({ panels }));
  expect(unknownNames(root)).toEqual(['all.json, Lag: nobody tells gone_total']);
});

it('wants a page with a command, a line in the index and a test for each alert', () => {
  alert('outbox_unsent > 5', 'elsewhere.md');
  write('docs/runbooks/Gone.md', '');
  expect(unexplainedAlerts(root)).toEqual([
    `Lag has no page ${PAGE}`,
    `Lag does not name ${PAGE} as its runbook`,
    'docs/runbooks/README.md does not list Lag',
    'Lag has no test in monitoring/tests',
    'docs/runbooks/Gone.md belongs to no alert',
  ]);
});

it('is content where all of them are there', () => {
  alert('outbox_unsent > 5');
  write(PAGE, '# Lag\n\n    npm run ops -- status\n');
  write('docs/runbooks/README.md', '[Lag](Lag.md)');
  write('monitoring/tests/a.yml', 'tests: [{alert_rule_test: [{alertname: Lag, exp_alerts: [{}]}]}]');
  expect(unexplainedAlerts(root)).toEqual([]);
});
