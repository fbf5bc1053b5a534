// dead-letters, events, stream
import type { Command } from 'commander';
import { OperationsServiceService, type DeadLetter, type ReplayEventsResponse } from '@souk/proto/operations/v1';
import type { GrpcService } from '@souk/runner';
import { table } from '@souk/shop/text';
import { consumer, letterIds, moment, serviceArgument, serviceOfConsumer } from '../arguments.ts';
import { usageError } from '../exit-codes.ts';
import { timeText } from '../output.ts';
import { chosen, LONG } from '../services.ts';
import type { Act, Work } from '../work.ts';
import { tellFailures } from './checks.ts';

interface ReplayLettersOptions {
  consumer?: string;
  letter?: bigint[];
  from?: Date;
  to?: Date;
  all?: boolean;
}

interface ReplayEventsOptions {
  consumer: string;
  from: Date;
  to?: Date;
  again?: boolean;
}

const PAGE_SIZE = 100;

export function addEventCommands(program: Command, act: Act): void {
  const letters = program.command('dead-letters').description('events that consumers gave up');
  letters
    .command('list', { isDefault: true })
    .description('list them, oldest first')
    .addArgument(serviceArgument('[service]', 'whose consumers'))
    .option('--consumer <name>', 'only what this one gave up', consumer)
    .action(act(list));
  letters
    .command('replay')
    .description('hand them to their consumers once more; what is handled is taken off the list')
    .option('--consumer <name>', 'only those of this consumer', consumer)
    .option('--letter <number>', 'only this one (repeatable)', letterIds)
    .option('--from <time>', 'only those given up at or after', moment)
    .option('--to <time>', 'only those given up before', moment)
    .option('--all', 'all of them')
    .action(act(replayLetters));
  program
    .command('events')
    .description('events of the streams')
    .command('replay')
    .description('hand events to a consumer again, marked so that nobody is mailed a second time')
    .requiredOption('--consumer <name>', 'who gets them', consumer)
    .requiredOption('--from <time>', 'published at or after', moment)
    .option('--to <time>', 'published before (now)', moment)
    .option('--again', 'also those that it has handled before')
    .action(act(replayEvents));
  program
    .command('stream')
    .description('the stream of a service')
    .command('rebuild')
    .description('publish the events of the outbox that the stream lacks')
    .addArgument(serviceArgument('<service>', 'whose stream'))
    .option('--from <time>', 'only events written at or after', moment)
    .action(act(rebuildStream));
}

function list(service: GrpcService | undefined, options: { consumer?: string }): Work {
  return async ({ services, output }) => {
    const whose = service ?? (options.consumer ? serviceOfConsumer(options.consumer) : undefined);
    const asked = await services.askEach(chosen(whose), OperationsServiceService, (client) =>
      client.listDeadLetters({ consumer: options.consumer ?? '', pageSize: PAGE_SIZE, pageToken: '' }),
    );
    const letters = asked.answers.flatMap((answer) => answer.letters);
    output.result(letters, () => (letters.length === 0 ? 'No dead letters.' : lettersTable(letters)));
    for (const { nextPageToken, service: name } of asked.answers) {
      if (nextPageToken) output.note(`${name} has more than these: replay them, and list again.`);
    }
    return tellFailures(output, asked) && letters.length === 0;
  };
}

function lettersTable(letters: readonly DeadLetter[]): string {
  return table(letters, [
    { title: 'LETTER', value: ({ letterId }) => String(letterId), align: 'right' },
    { title: 'GIVEN UP', value: ({ time }) => timeText(time) },
    { title: 'CONSUMER', value: (letter) => letter.consumer },
    { title: 'EVENT', value: ({ eventId }) => eventId },
    { title: 'OF', value: ({ aggregateId }) => aggregateId },
    { title: 'ERROR', value: ({ error }) => error, max: 120 },
  ]);
}

function replayLetters({ consumer: name = '', letter: ids = [], from, to, all }: ReplayLettersOptions): Work {
  const narrowed = name !== '' || ids.length > 0 || from !== undefined || to !== undefined;
  if (narrowed === (all ?? false)) {
    throw usageError('Say which letters: by --consumer, --letter, --from or --to; or --all without any of these.');
  }
  return async ({ services, output }) => {
    const asked = await services.askEach(
      chosen(name ? serviceOfConsumer(name) : undefined),
      OperationsServiceService,
      (client) => client.replayDeadLetters({ consumer: name, letterIds: ids, fromTime: from, toTime: to }, LONG),
    );
    const sum = asked.answers.reduce(
      (total, { handled, skipped, failed }) => ({
        handled: total.handled + handled,
        skipped: total.skipped + skipped,
        failed: total.failed + failed,
      }),
      { handled: 0, skipped: 0, failed: 0 },
    );
    output.result(sum, () => countText(sum));
    return tellFailures(output, asked) && sum.failed === 0;
  };
}

function replayEvents({ consumer: name, from, to, again = false }: ReplayEventsOptions): Work {
  return async ({ services, output }) => {
    const count = await services.ask(serviceOfConsumer(name), OperationsServiceService, (client) =>
      client.replayEvents({ consumer: name, fromTime: from, toTime: to, again }, LONG),
    );
    output.result(count, () => countText(count));
    return count.failed === 0;
  };
}

function rebuildStream(service: GrpcService, { from }: { from?: Date }): Work {
  return async ({ services, output }) => {
    const rebuilt = await services.ask(service, OperationsServiceService, (client) =>
      client.rebuildStream({ fromTime: from }, LONG),
    );
    const { compared, published } = rebuilt;
    output.result(
      rebuilt,
      () => `Looked for ${compared} events on the stream: ${published} were missing and are there now.`,
    );
    return true;
  };
}

function countText({ handled, skipped, failed }: ReplayEventsResponse): string {
  return `${handled} handled, ${skipped} skipped (handled before), ${failed} failed.`;
}
