/**
 * `nx serve <service>`: one service with its sources watched. Compiles what is saved and starts the service again, in
 * the environment that the runner has written for it.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';
import { isPortFree, StartupError } from '@souk/infra';
import { dataFolder, layout, ROOT, SERVICES } from './layout.ts';

function environmentOf(service: string): Record<string, string | undefined> {
  const file = join(layout(dataFolder()).environments, `${service}.env`);
  if (!SERVICES.some((known) => known === service)) {
    throw new StartupError(`There is no service "${service}"; there are ${SERVICES.join(', ')}.`);
  }
  if (!existsSync(file))
    throw new StartupError(`The infrastructure has not been started: npm run nx -- serve ${service}`);
  return parseEnv(readFileSync(file, 'utf8'));
}

async function requireLeftOut(service: string, environment: Record<string, string | undefined>): Promise<void> {
  const port = Number(environment['GRPC_PORT'] ?? environment['PORT']);
  if (await isPortFree(port)) return;
  throw new StartupError(
    `Port ${port} is taken: if Souk runs, start it without this service: npm start -- --except ${service}`,
  );
}

function watch(service: string, environment: Record<string, string | undefined>): ChildProcess[] {
  const cwd = join(ROOT, 'apps', service);
  const env = { ...environment, PATH: `${join(ROOT, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}` };
  const compile = ['src', '-d', 'dist', '--strip-leading-paths', '--config-file', '../../.swcrc', '-q', '-w'];
  const run = ['--watch', '--watch-path=dist', '--watch-preserve-output', '--enable-source-maps', 'dist/main.js'];
  return [
    spawn('swc', compile, { cwd, env, stdio: 'inherit' }),
    spawn(process.execPath, run, { cwd, env, stdio: 'inherit' }),
  ];
}

try {
  const [service = ''] = process.argv.slice(2);
  const environment = environmentOf(service);
  await requireLeftOut(service, environment);
  const children = watch(service, environment);
  const stop = (): void => children.forEach((child) => void child.kill('SIGTERM'));
  process.on('SIGINT', stop).on('SIGTERM', stop);
  for (const child of children) child.once('exit', stop);
} catch (error) {
  if (!(error instanceof StartupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
