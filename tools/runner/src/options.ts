import { parseArgs } from 'node:util';
import { StartupError } from '@souk/infra';
import { GRPC_SERVICES, SERVICES, type GrpcService, type ServiceName } from './layout.ts';

export const HELP = `Starts a whole Souk on this machine and stops it with Ctrl-C.

  npm start -- [options]

  --fresh             start over: remove all state of the last runs first
  --except <service>  leave a service out, to run it by "npm run nx -- serve <service>"; may be repeated
  --replicas <service>=<n>  run so many instances of a service; may be repeated
  --infra-only        only Postgres, NATS and the sandbox payment provider
  --no-sale           do not sell a sample item after the first start
  --help              show this text

Environment: PORT moves the REST port (3000) and all others by the same distance; SOUK_DATA_DIR (.souk),
SOUK_ADMIN_EMAIL, SOUK_ADMIN_PASSWORD, SOUK_SAMPLE=off, LOG_LEVEL. More in tools/runner/README.md.
`;

export interface Options {
  readonly fresh: boolean;
  readonly help: boolean;
  readonly infraOnly: boolean;
  readonly sale: boolean;
  readonly except: readonly ServiceName[];
  /** How many instances there are of a service with several. */
  readonly replicas: Readonly<Partial<Record<GrpcService, number>>>;
}

/** Reads the command line; throws a sentence for what it does not know. */
export function parseOptions(args: readonly string[]): Options {
  const values = parse(args);
  return {
    fresh: values.fresh ?? false,
    help: values.help ?? false,
    infraOnly: values['infra-only'] ?? false,
    sale: !values['no-sale'],
    except: (values.except ?? []).map(knownService),
    replicas: Object.fromEntries((values.replicas ?? []).map(replicasOf)),
  };
}

function parse(args: readonly string[]) {
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        fresh: flag,
        help: { ...flag, short: 'h' },
        'infra-only': flag,
        'no-sale': flag,
        except: { type: 'string', multiple: true },
        replicas: { type: 'string', multiple: true },
      },
    }).values;
  } catch (error) {
    throw new StartupError(`${(error as Error).message.split('. ')[0]}. Try: npm start -- --help`);
  }
}

function knownService(name: string): ServiceName {
  const service = SERVICES.find((known) => known === name);
  if (!service) throw new StartupError(`There is no service "${name}"; there are ${SERVICES.join(', ')}.`);
  return service;
}

const MOST_REPLICAS = 10;

function replicasOf(text: string): [GrpcService, number] {
  const [name, count] = text.split('=');
  const service = GRPC_SERVICES.find((known) => known === name);
  const number = Number(count);
  if (!service || !Number.isInteger(number) || number < 1 || number > MOST_REPLICAS) {
    throw new StartupError(`--replicas takes a service and a number up to ${MOST_REPLICAS}, such as orders=2.`);
  }
  return [service, number];
}
