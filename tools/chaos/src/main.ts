/** `npm run chaos`: see HELP in options.ts. The exit code says whether everything held. */
import { chmodSync, createWriteStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StartupError } from '@souk/infra';
import { checkAll } from './checks/index.ts';
import { Cluster } from './cluster.ts';
import { planFaults } from './fault-plan.ts';
import { stockUp } from './goods.ts';
import { History } from './history.ts';
import { HttpClient } from './http.ts';
import { Nemesis } from './nemesis.ts';
import { HELP, parseOptions, type Options } from './options.ts';
import { adminOf, makePeople, type People } from './people.ts';
import { Random } from './random.ts';
import { readWorld } from './read-world.ts';
import { hasFailed, report, type Findings } from './report.ts';
import { awaitRest } from './rest.ts';
import { watchLinks } from './sharing.ts';
import { Sources } from './sources.ts';
import { keylessProvider, switchOff } from './switches.ts';

const LONGEST_REST_MS = 120_000;

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** Open to the user that Postgres runs as where this is run by root. */
function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'souk-chaos-'));
  chmodSync(folder, 0o711);
  return folder;
}

/** From a Souk that has just started to what is found in it at the end. */
async function torment(cluster: Cluster, options: Options, folder: string): Promise<Findings> {
  const random = new Random(options.seed);
  const history = new History(join(folder, 'history.jsonl'));
  const log = createWriteStream(join(folder, 'faults.log'));
  const shop = new HttpClient(cluster.port('gateway'));
  const sources = await Sources.open(cluster);
  try {
    const admin = adminOf(cluster, history);
    await stockUp(shop, await admin.logIn());
    await switchOff(sources, options.switchOff);
    const people = await makePeople(cluster, history, random, options.buyers);
    const nemesis = new Nemesis(cluster, sources, random.fork('nemesis'), (line) => {
      log.write(`${history.now()} ${line}\n`);
    });
    const endWatch = watchLinks(cluster.wires);
    const healed = await breakAndHeal(nemesis, people, random, options.minutes);
    const samples = endWatch();
    const rest = await awaitRest(sources, healed, LONGEST_REST_MS);
    say('Checking...');
    const world = await readWorld(cluster, sources, history, { http: shop, token: await admin.logIn() }, samples);
    return { injected: nemesis.injected, world, rest, verdicts: checkAll(world) };
  } finally {
    shop.close();
    await sources.close();
    await history.close();
    log.end();
  }
}

/** @returns when everything was healed */
async function breakAndHeal(nemesis: Nemesis, people: People, random: Random, minutes: number): Promise<number> {
  say(`Things break for ${minutes} min...`);
  const lengthMs = minutes * 60_000;
  let stopped = false;
  const lives = [
    ...people.buyers.map((buyer) => buyer.shop(() => stopped)),
    ...people.staff.map((one) => one.work(() => stopped)),
  ];
  await nemesis.run(planFaults(random.fork('faults'), lengthMs), lengthMs);
  say('Healing...');
  await nemesis.heal();
  const healed = Date.now();
  stopped = true;
  await Promise.all(lives);
  await Promise.all(people.buyers.map((buyer) => buyer.comeBack()));
  return healed;
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
