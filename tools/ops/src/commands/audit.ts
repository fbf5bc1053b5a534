// audit
import { InvalidArgumentError, type Command } from 'commander';
import { AuditServiceService, type VerifyChainResponse } from '@souk/proto/audit/v1';
import { GRPC_SERVICES, type GrpcService } from '@souk/runner';
import { table } from '@souk/shop/text';
import { serviceArgument } from '../arguments.ts';
import { chosen, LONG } from '../services.ts';
import type { Act, Work } from '../work.ts';
import { tellFailures } from './checks.ts';

interface Known {
  readonly service: GrpcService;
  readonly sequence: bigint;
  readonly hash: string;
}

const KNOWN = /^([a-z]+):(\d{1,18}):([\da-f]{64})$/;

export function addAuditCommands(program: Command, act: Act): void {
  program
    .command('audit')
    .description('the record of who did what')
    .command('verify')
    .description('compute every chain again; name the first record that is not as it was written')
    .addArgument(serviceArgument('[service]', 'whose chain'))
    .option('--known <service:sequence:hash>', 'a head that was logged before (repeatable)', known)
    .action(act(verify));
}

function verify(service: GrpcService | undefined, { known: heads = [] }: { known?: Known[] }): Work {
  return async ({ services, output }) => {
    const asked = await Promise.all(
      chosen(service).map((one) => {
        const head = heads.find((candidate) => candidate.service === one);
        const request = { knownSequence: head?.sequence ?? 0n, knownHash: head?.hash ?? '' };
        return services.askEach([one], AuditServiceService, (client) => client.verifyChain(request, LONG));
      }),
    );
    const answers = asked.flatMap((one) => one.answers);
    output.result(answers, () => [chains(answers), ...sentences(answers)].join('\n'));
    return tellFailures(output, ...asked) && !answers.some(isBroken);
  };
}

type Answer = VerifyChainResponse & { readonly service: GrpcService };

function chains(answers: readonly Answer[]): string {
  return table(answers, [
    { title: 'SERVICE', value: ({ service }) => service },
    { title: 'RECORDS', value: ({ verified }) => String(verified), align: 'right' },
    { title: 'CHAIN', value: (answer) => (isBroken(answer) ? 'BROKEN' : 'whole') },
    { title: 'UNFINISHED', value: ({ unfinished }) => String(unfinished), align: 'right' },
    { title: 'HEAD', value: ({ service, headSequence, headHash }) => `${service}:${headSequence}:${headHash}` },
  ]);
}

function sentences(answers: readonly Answer[]): string[] {
  const unfinished = answers.some((answer) => answer.unfinished > 0n);
  const hint =
    'Unfinished calls were asked, and their outcome is not known: GET /v1/audit?outcome=unfinished lists them.';
  return [...answers.filter(isBroken).map(sentence), ...(unfinished ? [hint] : [])];
}

function sentence({ service, brokenSequence, problem }: Answer): string {
  return `${service}: record ${brokenSequence} ${problem}.`;
}

function isBroken({ brokenSequence }: VerifyChainResponse): boolean {
  return brokenSequence !== 0n;
}

/** Collects heads; commander hands over those that came before. */
function known(text: string, before: Known[] = []): Known[] {
  const [, name, sequence = '0', hash = ''] = KNOWN.exec(text) ?? [];
  const service = GRPC_SERVICES.find((one) => one === name);
  if (!service)
    throw new InvalidArgumentError('It looks like orders:1042:<hash>, as the log and the command print it.');
  return [...before, { service, sequence: BigInt(sequence), hash }];
}
