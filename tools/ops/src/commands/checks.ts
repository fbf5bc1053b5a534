// status, reconcile, differences
import type { Command } from 'commander';
import { OperationsServiceService, type CheckRun, type DeadLetter, type Difference } from '@souk/proto/operations/v1';
import { OrdersServiceService, type ParkedOrder } from '@souk/proto/orders/v1';
import { GRPC_SERVICES, type GrpcService } from '@souk/runner';
import { plain, table } from '@souk/shop/text';
import { names, serviceArgument } from '../arguments.ts';
import { timeText, type Output } from '../output.ts';
import { chosen, LONG, type Asked } from '../services.ts';
import type { Act, Work } from '../work.ts';

interface Report {
  readonly runs: readonly CheckRun[];
  readonly differences: readonly Difference[];
}

interface Letters {
  readonly letters: readonly DeadLetter[];
  readonly nextPageToken: string;
}

const MOST_LETTERS = 500;
const MOST_PARKED = 100;

export function addCheckCommands(program: Command, act: Act): void {
  program
    .command('status')
    .description('what the last checks found, the dead letters and the parked orders of all services')
    .action(act(status));
  program
    .command('reconcile')
    .description('run the checks now: all, those of one service, or those that are named')
    .addArgument(serviceArgument('[service]', 'whose checks'))
    .option('--check <name>', 'only this one (repeatable)', names)
    .action(act(reconcile));
  program
    .command('differences')
    .description('list what the last runs of the checks found, with the commands that mend it')
    .addArgument(serviceArgument('[service]', 'whose checks'))
    .action(act(differences));
}

function status(): Work {
  return async ({ services, output }) => {
    const [reports, letters, parked] = await Promise.all([
      services.askEach(GRPC_SERVICES, OperationsServiceService, (client) => client.listDifferences({})),
      services.askEach(GRPC_SERVICES, OperationsServiceService, (client) =>
        client.listDeadLetters({ consumer: '', pageSize: MOST_LETTERS, pageToken: '' }),
      ),
      services.askEach(['orders'], OrdersServiceService, (client) =>
        client.listParkedOrders({ pageSize: MOST_PARKED, pageToken: '' }),
      ),
    ]);
    const document = { checks: reports.answers, deadLetters: letters.answers, parkedOrders: parked.answers };
    output.result(document, () =>
      [
        checksText(reports),
        ...differencesText(reports),
        lettersText(letters.answers),
        parkedText(parked.answers.flatMap(({ orders }) => orders)),
      ].join('\n\n'),
    );
    const answered = tellFailures(output, reports, letters, parked);
    const waiting = [
      ...letters.answers.flatMap((answer) => answer.letters),
      ...parked.answers.flatMap(({ orders }) => orders),
    ];
    return answered && waiting.length === 0 && reports.answers.every(isWell);
  };
}

function reconcile(service: GrpcService | undefined, { check: checks = [] }: { check?: string[] }): Work {
  return async ({ services, output }) => {
    const wanted = await servicesWith(checks, chosen(service), (those) =>
      services.askEach(those, OperationsServiceService, (client) => client.listDifferences({})),
    );
    return report(
      output,
      await services.askEach(wanted, OperationsServiceService, (client) => client.reconcile({ checks }, LONG)),
    );
  };
}

/** A check that is named without its service is run by those that have it; where none has, each says what it has. */
async function servicesWith(
  checks: readonly string[],
  services: readonly GrpcService[],
  ask: (services: readonly GrpcService[]) => Promise<Asked<Report>>,
): Promise<readonly GrpcService[]> {
  if (checks.length === 0 || services.length === 1) return services;
  const { answers, failures } = await ask(services);
  const having = answers.filter(({ runs }) => checks.every((name) => runs.some((run) => run.check === name)));
  const wanted = [...having, ...failures].map(({ service }) => service);
  return wanted.length > 0 ? wanted : services;
}

function differences(service: GrpcService | undefined): Work {
  return async ({ services, output }) =>
    report(
      output,
      await services.askEach(chosen(service), OperationsServiceService, (client) => client.listDifferences({})),
    );
}

function report(output: Output, reports: Asked<Report>): boolean {
  if (reports.answers.length > 0) {
    output.result(reports.answers, () => [checksText(reports), ...differencesText(reports)].join('\n\n'));
  }
  return tellFailures(output, reports) && reports.answers.every(isWell);
}

/** True where nobody failed. */
export function tellFailures(output: Output, ...asked: readonly Pick<Asked<object>, 'failures'>[]): boolean {
  const sentences = new Set(asked.flatMap(({ failures }) => failures.map(({ error }) => error)));
  for (const sentence of sentences) output.error(sentence);
  return sentences.size === 0;
}

function isWell({ runs, differences: found }: Report): boolean {
  return found.length === 0 && runs.every(({ error }) => error === '');
}

function checksText({ answers }: Asked<Report>): string {
  const rows = answers.flatMap(({ service, runs }) => runs.map((run) => ({ ...run, service })));
  return table(rows, [
    { title: 'SERVICE', value: ({ service }) => service },
    { title: 'CHECK', value: ({ check }) => check },
    { title: 'LAST RUN', value: ({ endTime }) => timeText(endTime) },
    { title: 'COMPARED', value: ({ compared }) => String(compared), align: 'right' },
    { title: 'DIFFERENCES', value: (run) => String(run.differences), align: 'right' },
    { title: 'FAILED BECAUSE', value: ({ error }) => error, max: 200 },
  ]);
}

function differencesText({ answers }: Asked<Report>): string[] {
  const found = answers.flatMap(({ service, differences: those }) => those.map((one) => ({ ...one, service })));
  return found.map(({ service, check, subject, detail, mend, firstSeenTime }) =>
    [
      `${service} ${check}: ${plain(subject)} (since ${timeText(firstSeenTime)})`,
      `  ${plain(detail)}`,
      `  ${plain(mend)}`,
    ].join('\n'),
  );
}

function lettersText(answers: readonly Letters[]): string {
  const count = answers.reduce((sum, { letters }) => sum + letters.length, 0);
  if (count === 0) return 'No dead letters.';
  const more = answers.some(({ nextPageToken }) => nextPageToken !== '') ? 'More than ' : '';
  return `${more}${count} dead letters: npm run ops -- dead-letters`;
}

function parkedText(orders: readonly ParkedOrder[]): string {
  return orders.length === 0 ? 'No parked orders.' : `${orders.length} parked orders: npm run ops -- orders parked`;
}
