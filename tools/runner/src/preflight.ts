/** What must hold before anything is started; each refusal is one sentence with the cure. */
import { chmodSync, existsSync, mkdirSync, rmSync, statfsSync } from 'node:fs';
import { isPortFree, StartupError } from '@souk/infra';
import { layout } from './layout.ts';
import { takenPort, type PortName, type PortPlan } from './port-plan.ts';

const NEEDED_BYTES = 1024 ** 3;
const SHORTEST_PASSWORD = 10;

/** Makes the data folder. Root's is passable for others, since Postgres runs as another user below it. */
export function makeDataFolder(dataDir: string): void {
  const isNew = !existsSync(dataDir);
  try {
    mkdirSync(dataDir, { recursive: true });
    if (isNew) chmodSync(dataDir, process.getuid?.() === 0 ? 0o711 : 0o700);
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new StartupError(
      `The data folder ${dataDir} cannot be made (${cause}): set SOUK_DATA_DIR to another folder.`,
    );
  }
}

/** Removes all state of earlier runs, and nothing else that may lie in the folder; the lock stays. */
export function startOver(dataDir: string): void {
  const { lock: _held, ...state } = layout(dataDir);
  for (const path of Object.values(state)) rmSync(path, { recursive: true, force: true });
}

export function requireDiskSpace(dataDir: string): void {
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  if (free >= NEEDED_BYTES) return;
  const shown = (free / 1024 ** 3).toFixed(1);
  throw new StartupError(
    `Only ${shown} GB are free on the disk of ${dataDir}, and Souk needs 1 GB: free some, or set SOUK_DATA_DIR to a folder on another disk.`,
  );
}

export function requireAdminPassword(env: NodeJS.ProcessEnv): void {
  const password = env['SOUK_ADMIN_PASSWORD'];
  if (!password || password.length >= SHORTEST_PASSWORD) return;
  throw new StartupError(
    `SOUK_ADMIN_PASSWORD is too short: set it to at least ${SHORTEST_PASSWORD} characters, or leave it out and one is made up.`,
  );
}

export async function requireFreePorts(ports: PortPlan, names: readonly PortName[]): Promise<void> {
  for (const name of names) {
    if (!(await isPortFree(ports[name]))) throw new StartupError(takenPort(name, ports[name]));
  }
}
