// The way into Souk for whatever Node is at hand (18 or newer, built-ins only): installs the packages where they are missing,
// builds what has changed, and runs the command on Node 24. Two of them at the same time wait for each other.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '../..');
const MODULES = join(ROOT, 'node_modules');
const LOCK = join(ROOT, '.nx/bootstrap.lock');
const LOCK_HASH = join(MODULES, '.souk-lock-hash');
const BUILD_STAMP = join(MODULES, '.souk-build-stamp');
const NODE_MAJOR = 24;
const LOCK_STALE_MS = 15_000;
const COMMANDS = {
  start: 'tools/runner/dist/start.js',
  test: 'tools/checks/src/test.ts',
  shop: 'tools/shop/src/main.ts',
  ops: 'tools/ops/src/main.ts',
  bench: 'tools/bench/src/main.ts',
  chaos: 'tools/chaos/src/main.ts',
  simulate: 'simulation/src/main.ts',
  generate: 'tools/checks/src/generate.ts',
  nx: 'node_modules/nx/dist/bin/nx.js',
};

const [command, ...args] = process.argv.slice(2);
if (!Object.hasOwn(COMMANDS, command ?? '')) {
  fail(`Usage: node tools/runner/bootstrap.mjs ${Object.keys(COMMANDS).join('|')} [arguments]`);
}
refuseHopelessNode();
if (mustInstall() || (needsBuild() && mustBuild())) await alone(prepare);
// The runner lives as long as Souk does and has little to do.
const flags = command === 'start' ? ['--max-semi-space-size=2'] : [];
run(soukNode(), [...flags, join(ROOT, COMMANDS[command]), ...args]);

/** nx builds what it needs by itself, and generated code comes before the build. */
function needsBuild() {
  return !['nx', 'generate'].includes(command);
}

async function prepare() {
  // Asked again: another bootstrap may have done it while this one waited.
  if (mustInstall()) await install();
  if (needsBuild() && mustBuild()) await build();
}

// ---- Node ----

function majorOf(version) {
  return Number.parseInt(version.replace(/^v/, ''), 10);
}

function bundledNode() {
  const path = join(MODULES, '.bin/node');
  if (!fs.existsSync(path)) return undefined;
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' });
  return stdout && majorOf(stdout) >= NODE_MAJOR ? path : undefined;
}

/** The running Node where it is new enough, else the one that npm has installed with the packages. */
function soukNode() {
  if (majorOf(process.version) >= NODE_MAJOR) return process.execPath;
  return bundledNode() ?? fail(nodeCure());
}

/** Before minutes go into an install that cannot help: Node comes with the packages only for these platforms. */
function refuseHopelessNode() {
  const comes = process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch);
  if (!comes && majorOf(process.version) < NODE_MAJOR) fail(nodeCure());
}

function nodeCure() {
  return `Souk needs Node ${NODE_MAJOR} or newer and this is ${process.version}: install it from https://nodejs.org and start again.`;
}

// ---- packages ----

function lockHash() {
  return createHash('sha256')
    .update(fs.readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
}

/** npm writes its own record last, so a record that is missing or older than the lock file tells of an install to be done. */
function mustInstall() {
  const record = join(MODULES, '.package-lock.json');
  if (!fs.existsSync(record)) return true;
  if (readText(LOCK_HASH) === lockHash()) return false;
  return fs.statSync(record).mtimeMs < fs.statSync(join(ROOT, 'package-lock.json')).mtimeMs;
}

async function install() {
  say('Installing packages (about a minute, once)...');
  const hash = lockHash();
  // Where npm has started this script it has named itself; the npm on PATH may be another one.
  const npm = process.env.npm_execpath ?? '';
  const [file, first] = /npm-cli\.[cm]?js$/.test(npm) ? [process.execPath, [npm]] : ['npm', []];
  await quietly(file, [...first, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci');
  fs.writeFileSync(LOCK_HASH, hash);
}

// ---- build ----

/** Changes with every file that a build reads. Sizes and times suffice: nx compares the contents. */
function sourceStamp() {
  const hash = createHash('sha256').update(lockHash());
  for (const file of ['.swcrc', 'nx.json']) hash.update(fs.readFileSync(join(ROOT, file)));
  for (const project of buildableProjects()) addFolder(hash, join(project, 'src'));
  return hash.digest('hex');
}

function buildableProjects() {
  return ['libs', 'apps', 'tools'].flatMap((group) =>
    fs
      .readdirSync(join(ROOT, group))
      .map((name) => join(ROOT, group, name))
      .filter((folder) => readText(join(folder, 'package.json'))?.includes('"build": {}')),
  );
}

function addFolder(hash, folder) {
  for (const entry of fs.readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) addFolder(hash, path);
    else if (!/spec\.ts$/.test(entry.name)) {
      const { size, mtimeMs } = fs.statSync(path);
      hash.update(`${path}\0${size}\0${mtimeMs}\n`);
    }
  }
}

function mustBuild() {
  const complete = buildableProjects().every((project) => fs.existsSync(join(project, 'dist')));
  return !complete || readText(BUILD_STAMP) !== sourceStamp();
}

async function build() {
  say('Building...');
  const stamp = sourceStamp();
  await quietly(soukNode(), [join(ROOT, COMMANDS.nx), 'run-many', '-t', 'build'], 'The build');
  fs.writeFileSync(BUILD_STAMP, stamp);
}

// ---- one at a time ----

/** Holds a lock file whose time is renewed every few seconds; one that is no longer renewed belongs to a killed bootstrap. */
async function alone(work) {
  fs.mkdirSync(dirname(LOCK), { recursive: true });
  await takeLock();
  const heartbeat = setInterval(renewLock, 3_000);
  const release = () => fs.rmSync(LOCK, { force: true });
  process.once('exit', release);
  try {
    await work();
  } finally {
    clearInterval(heartbeat);
    release();
    process.removeListener('exit', release);
  }
}

async function takeLock() {
  for (let told = false; ; told = true) {
    try {
      fs.writeFileSync(LOCK, String(process.pid), { flag: 'wx' });
      // Two that waited may both have removed a stale lock, the second one that of the first: the last to write has it.
      await pause();
      if (readText(LOCK) === String(process.pid)) return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isStale()) fs.rmSync(LOCK, { force: true });
    else if (!told) say('Waiting for another start, which is installing or building...');
    await pause();
  }
}

function renewLock() {
  if (fs.existsSync(LOCK)) fs.utimesSync(LOCK, new Date(), new Date());
}

function pause() {
  return new Promise((resolve) => setTimeout(resolve, 300));
}

function isStale() {
  const stat = fs.statSync(LOCK, { throwIfNoEntry: false });
  return stat !== undefined && Date.now() - stat.mtimeMs > LOCK_STALE_MS;
}

// ---- processes ----

function environment() {
  return { ...process.env, PATH: `${join(MODULES, '.bin')}${delimiter}${process.env.PATH ?? ''}` };
}

/** Shows what the program printed only if it failed. */
function quietly(file, commandArgs, name) {
  return new Promise((resolve) => {
    const child = spawn(file, commandArgs, { cwd: ROOT, env: environment(), stdio: ['ignore', 'pipe', 'pipe'] });
    let printed = '';
    child.stdout.on('data', (data) => (printed += data));
    child.stderr.on('data', (data) => (printed += data));
    child.once('error', (error) => fail(`${name} cannot be run: ${error.message}`));
    child.once('close', (code) => (code === 0 ? resolve() : fail(`${printed}\n${name} failed; its output is above.`)));
  });
}

/** Becomes the command as far as the caller can tell: same input and output, signals passed on, same exit code. */
function run(node, commandArgs) {
  const child = spawn(node, commandArgs, { env: environment(), stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => fail(`${node} cannot be run: ${error.message}`));
  child.once('exit', (code, signal) => process.exit(code ?? (signal === 'SIGINT' ? 130 : 1)));
}

function readText(path) {
  return fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : undefined;
}

function say(line) {
  process.stderr.write(`${line}\n`);
}

function fail(message) {
  say(message);
  process.exit(1);
}
