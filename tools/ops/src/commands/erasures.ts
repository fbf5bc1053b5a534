// erasures
import type { Command } from 'commander';
import { PrivacyRequestsServiceService, type Erasure } from '@souk/proto/identity/v1';
import { table } from '@souk/shop/text';
import { timeText } from '../output.ts';
import type { Act, Work } from '../work.ts';

const MOST = 100;

export function addErasureCommands(program: Command, act: Act): void {
  const erasures = program.command('erasures').description('persons who are erased from all services');
  erasures.command('list').description('list the newest erasures, and where they stand').action(act(list));
  erasures
    .command('resume')
    .description('let an erasure that was given up go on')
    .argument('<erasure id>', 'identifier of the erasure')
    .action(act(resume));
  erasures
    .command('rerun')
    .description('carry out all erasures once more, after a database was set back to an older state')
    .action(act(rerun));
}

function list(): Work {
  return async ({ services, output }) => {
    const { erasures, nextPageToken } = await services.ask('identity', PrivacyRequestsServiceService, (client) =>
      client.listErasures({ pageSize: MOST, pageToken: '' }),
    );
    output.result(erasures, () =>
      erasures.length === 0
        ? 'No erasures.'
        : table(erasures, [
            { title: 'ERASURE', value: ({ erasureId }) => erasureId },
            { title: 'STATE', value: stateOf },
            { title: 'ASKED FOR', value: ({ requestTime }) => timeText(requestTime) },
            { title: 'DONE', value: ({ completeTime }) => timeText(completeTime) },
            { title: 'PENDING', value: ({ pending }) => String(pending), align: 'right' },
            { title: 'ERROR', value: ({ error }) => error, max: 200 },
          ]),
    );
    if (nextPageToken) output.note('There are older ones than these.');
    return erasures.every(({ state }) => state !== 'STATE_PARKED');
  };
}

function resume(erasureId: string): Work {
  return async ({ services, output }) => {
    const { erasure } = await services.ask('identity', PrivacyRequestsServiceService, (client) =>
      client.resumeErasure({ erasureId }),
    );
    output.result(erasure, () => `Erasure ${erasureId} goes on.`);
    return true;
  };
}

function rerun(): Work {
  return async ({ services, output }) => {
    const answer = await services.ask('identity', PrivacyRequestsServiceService, (client) => client.rerunErasures({}));
    output.result(answer, () => `${answer.erasures} erasures are carried out once more.`);
    return true;
  };
}

function stateOf({ state }: Erasure): string {
  return state.replace('STATE_', '');
}
