/** `npm start`: see HELP in options.ts. The last line that a start prints before it serves is "Souk is ready: <url>". */
import { setTimeout as sleep } from 'node:timers/promises';
import { StartupError, stopLeftNats, stopLeftPostgres } from '@souk/infra';
import { isTlsOn } from './certificates.ts';
import { startedCommit } from './commit.ts';
import { administrator, type EnvironmentPlan } from './environment.ts';
import { importSample, once, sellFirst } from './first-start.ts';
import { dataFolder, GRPC_SERVICES, layout } from './layout.ts';
import { LogOutput } from './log-output.ts';
import { HELP, parseOptions, type Options } from './options.ts';
import { planPorts, type PortName, type PortPlan } from './port-plan.ts';
import { makeDataFolder, requireAdminPassword, requireDiskSpace, requireFreePorts, startOver } from './preflight.ts';
import { lockHolder, releaseLock, takeLock, type LockHolder } from './run-lock.ts';
import { endLeftovers, RunRecord } from './run-record.ts';
import { loadSecrets } from './secrets.ts';
import { shopApi } from './shop-api.ts';
import { Souk } from './souk.ts';

const INFRASTRUCTURE: readonly PortName[] = ['postgres', 'nats', 'sandbox-psp'];
/** npm, the terminal and the launcher may each pass on one press of Ctrl-C. */
const SAME_PRESS_MS = 1_000;
const { env } = process;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(HELP);
  requireAdminPassword(env);
  isTlsOn(env);
  const ports = planPorts(env);
  const dataDir = dataFolder(env);
  makeDataFolder(dataDir);
  const { lock } = layout(dataDir);
  const holder = takeLock(lock, options.infraOnly);
  if (holder) return attachOrRefuse(holder, options, dataDir);
  process.once('exit', () => releaseLock(lock));
  await run(options, ports, dataDir);
}

async function run(options: Options, ports: PortPlan, dataDir: string): Promise<void> {
  const paths = layout(dataDir);
  await endLeftovers(paths.run, say);
  await Promise.all([stopLeftPostgres(paths.postgres), stopLeftNats(paths.nats)]);
  if (options.fresh) startOver(dataDir);
  requireDiskSpace(dataDir);
  await requireFreePorts(ports, options.infraOnly ? INFRASTRUCTURE : (Object.keys(ports) as PortName[]));
  const registered = GRPC_SERVICES.filter((service) => (options.replicas[service] ?? 1) > 1);
  const withCommit = { ...env, SOUK_COMMIT: startedCommit(env) };
  const plan: EnvironmentPlan = { ports, secrets: loadSecrets(paths.secrets), dataDir, env: withCommit, registered };
  const souk = new Souk({ plan, options, output: new LogOutput(paths.logs), record: new RunRecord(paths.run) });
  const stop = stopOnSignals(souk);
  try {
    await souk.startInfrastructure();
    if (options.infraOnly) return say(`The infrastructure is ready: Postgres ${ports.postgres}, NATS ${ports.nats}`);
    await souk.startServices();
    await serve(souk, options, plan);
  } catch (error) {
    if (stop.requested()) return;
    await souk.stop();
    throw error;
  }
}

async function serve(souk: Souk, options: Options, plan: EnvironmentPlan): Promise<void> {
  const { firstStart, mail } = layout(plan.dataDir);
  const api = shopApi(souk.url);
  const complete = options.except.length === 0;
  const withSample = complete && env['SOUK_SAMPLE'] !== 'off';
  const admin = administrator(plan);
  await once(firstStart, 'administrator', async () => nameAdministrator(admin.SOUK_ADMIN_EMAIL, plan), say);
  if (withSample) {
    const { SOUK_ADMIN_EMAIL: email, SOUK_ADMIN_PASSWORD: password } = admin;
    await once(firstStart, 'sample', () => importSample(api, email, password), say);
  }
  say(`Souk is ready: ${souk.url}`);
  if (withSample && options.sale) await once(firstStart, 'sale', async () => say(await sellFirst(api, mail)), say);
}

function nameAdministrator(email: string, { secrets }: EnvironmentPlan): void {
  const given = env['SOUK_ADMIN_PASSWORD'];
  const password = given ? 'the password of SOUK_ADMIN_PASSWORD' : `password ${secrets.adminPassword} (shown only now)`;
  say(`Administrator: ${email}, ${password}`);
}

/** `nx serve` asks for the infrastructure; where it runs already this process only lives as long as that one. */
async function attachOrRefuse(holder: LockHolder, options: Options, dataDir: string): Promise<void> {
  const what = holder.infraOnly ? 'Its infrastructure' : 'Souk';
  if (!options.infraOnly) {
    throw new StartupError(
      `${what} already runs on ${dataDir} (process ${holder.pid}): stop it with Ctrl-C, or set SOUK_DATA_DIR and PORT to run a second one.`,
    );
  }
  say(`${what} already runs on ${dataDir} (process ${holder.pid}) and is used.`);
  process.once('SIGINT', () => process.exit(0)).once('SIGTERM', () => process.exit(0));
  while (lockHolder(layout(dataDir).lock)) await sleep(1_000);
}

function stopOnSignals(souk: Souk): { requested: () => boolean } {
  let first: number | undefined;
  const stop = async (): Promise<void> => {
    say('Stopping; press Ctrl-C again to kill.');
    await souk.stop();
    say('Souk has stopped.');
    process.exit(0);
  };
  const onSignal = (): void => {
    if (first === undefined) {
      first = Date.now();
      stop().catch(fail);
    } else if (Date.now() - first > SAME_PRESS_MS) {
      souk.kill();
      process.exit(1);
    }
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  return { requested: () => first !== undefined };
}

function fail(error: unknown): never {
  const plain = error instanceof StartupError ? error.message : String((error as Error).stack ?? error);
  process.stderr.write(`${plain}\n`);
  process.exit(1);
}

// A terminal that was closed, or a reader of a pipe that has gone, is no reason to leave the services unattended.
process.stdout.on('error', () => undefined);
process.stderr.on('error', () => undefined);
main().catch(fail);
