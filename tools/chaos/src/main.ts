/** `npm run chaos`: see HELP in options.ts. The exit code says whether everything held. */
import { randomUUID } from 'node:crypto';
import { chmodSync, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '@souk/infra';
import { Buyer } from './buyer.ts';
import { checkAll } from './checks/index.ts';
import { ShopClient } from './client.ts';
import { Cluster } from './cluster.ts';
import { planFaults } from './fault-plan.ts';
import { stockUp } from './goods.ts';
import { History } from './history.ts';
import { HttpClient } from './http.ts';
import { Nemesis } from './nemesis.ts';
import { HELP, parseOptions, type Options } from './options.ts';
import { Random } from './random.ts';
import { readWorld } from './read-world.ts';
import { hasFailed, report, type Findings } from './report.ts';
import { awaitRest } from './rest.ts';
import { Sources } from './sources.ts';
import { Staff } from './staff.ts';
import { keylessProvider, switchOff } from './switches.ts';
import { DOORS } from './topology.ts';

const LONGEST_REST_MS = 120_000;
const ADMIN_EMAIL = 'admin@souk.local';
/** One of so many buyers has an account. */
const ACCOUNT_EVERY = 4;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Open to the user that Postgres runs as where this is run by root. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'souk-chaos-'));
  chmodSync(folder, 0o711);
  return folder;
}

async function makeBuyers(cluster: Cluster, history: History, random: Random, count: number): Promise<Buyer[]> {
  const doors = DOORS.filter((door) => door !== 'staff-door').map((door) => doorOf(cluster, door));
  return Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const name = `buyer-${index + 1}`;
      const account = { email: `${name}@example.com`, password: randomUUID() };
      const hasAccount = index % ACCOUNT_EVERY === 0;
      const door = doors[index % doors.length] as HttpClient;
      const client = new ShopClient(door, history, name, hasAccount ? account : undefined);
      if (hasAccount) await client.register();
      return new Buyer(client, random.fork(name));
    }),
  );
}

function doorOf(cluster: Cluster, door: string): HttpClient {
  return new HttpClient(cluster.linkPort(door, 'gateway'));
}

/** From a Souk that has just started to what is found in it at the end. */
async function torment(cluster: Cluster, options: Options, folder: string): Promise<Findings> {
  const lengthMs = options.minutes * 60_000;
  const random = new Random(options.seed);
  const history = new History(join(folder, 'history.jsonl'));
  const log = createWriteStream(join(folder, 'faults.log'));
  const direct = new HttpClient(cluster.port('gateway'));
  const sources = await Sources.open(cluster);
  try {
    const door = doorOf(cluster, 'staff-door');
    const admin = { email: ADMIN_EMAIL, password: cluster.secrets.adminPassword };
    const clients = ['staff-1', 'staff-2'].map((name) => new ShopClient(door, history, name, admin));
    const [token = ''] = await Promise.all(clients.map((client) => client.logIn()));
    await stockUp(direct, token);
    const staff = clients.map((client, index) => new Staff(client, history, random.fork(`staff-${index + 1}`)));
    await switchOff(sources, options.switchOff);
    const buyers = await makeBuyers(cluster, history, random, options.buyers);
    const nemesis = new Nemesis(cluster, sources, random.fork('nemesis'), (line) =>
      log.write(`${history.now()} ${line}\n`),
    );

    say(`Things break for ${options.minutes} min...`);
    let stopped = false;
    const people = [
      ...buyers.map((buyer) => buyer.shop(() => stopped)),
      ...staff.map((one) => one.work(() => stopped)),
    ];
    await nemesis.run(planFaults(random.fork('faults'), lengthMs), lengthMs);
    say('Healing...');
    await nemesis.heal();
    const healed = Date.now();
    stopped = true;
    await Promise.all(people);
    await Promise.all(buyers.map((buyer) => buyer.comeBack()));
    const rest = await awaitRest(sources, healed + LONGEST_REST_MS - Date.now());
    say('Checking...');
    const world = await readWorld(cluster, sources, history, {
      http: direct,
      token: await (clients[0] as ShopClient).logIn(),
    });
    return { injected: nemesis.injected, world, rest, verdicts: checkAll(world) };
  } finally {
    direct.close();
    await sources.close();
    await history.close();
    log.end();
  }
}

async function run(options: Options): Promise<boolean> {
  const began = Date.now();
  const folder = temporaryFolder();
  say(`Seed ${options.seed}; starting a Souk in ${folder}...`);
  const events = createWriteStream(join(folder, 'processes.log'));
  const cluster = await Cluster.start({
    folder,
    say: (line) => events.write(`${new Date().toISOString()} ${line}\n`),
    ...(options.switchOff.includes('provider-key') && { beforeProvider: keylessProvider }),
  });
  const stop = (): void => void cluster.stop().finally(() => process.exit(1));
  process.once('SIGINT', stop).once('SIGTERM', stop);
  let failed = true;
  try {
    const findings = await torment(cluster, options, folder);
    failed = hasFailed(findings);
    const text = report(findings);
    writeFileSync(join(folder, 'report.txt'), text);
    say(`\n${text}\n`);
    return !failed;
  } finally {
    await cluster.stop();
    events.end();
    if (failed || options.keep) say(`The data, logs and history are in ${folder}.`);
    else rmSync(folder, { recursive: true, force: true });
    const seconds = ((Date.now() - began) / 1_000).toFixed(0);
    say(
      `${failed ? 'FAILED' : 'PASSED'} after ${seconds} s. Again: npm run chaos -- --minutes ${options.minutes} --seed ${options.seed}`,
    );
  }
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) say(HELP);
  else if (!(await run(options))) process.exitCode = 1;
} catch (error) {
  const plain = error instanceof StartupError ? error.message : String((error as Error).stack ?? error);
  process.stderr.write(`${plain}\n`);
  process.exitCode = 1;
}
