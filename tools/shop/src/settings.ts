// Where Souk is and where this tool keeps its state: SOUK_URL, SOUK_DATA_DIR, and what the local runner wrote down.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { usageError } from './exit-codes.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const LOCAL_HOSTS = ['127.0.0.1', 'localhost', '[::1]'];

export interface Settings {
  /** Without a slash at the end. */
  url: string;
  dataDir: string;
  /** The administrator that the environment names. */
  admin: Credentials | undefined;
  /** The administrator that the first start of the Souk on this machine made up. */
  localAdmin: Credentials | undefined;
}

export interface Credentials {
  email: string;
  password: string;
}

export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const dataDir = resolve(ROOT, env['SOUK_DATA_DIR'] || '.souk');
  const url = soukUrl(env, dataDir);
  const email = env['SOUK_ADMIN_EMAIL'] || 'admin@souk.local';
  const [given, madeUp] = [env['SOUK_ADMIN_PASSWORD'], madeUpPassword(url, dataDir)];
  return {
    url,
    dataDir,
    admin: given ? { email, password: given } : undefined,
    localAdmin: madeUp ? { email, password: madeUp } : undefined,
  };
}

function soukUrl(env: NodeJS.ProcessEnv, dataDir: string): string {
  const text = env['SOUK_URL'] || localUrl(dataDir);
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol)) {
    throw usageError(`SOUK_URL=${text} is no address: it looks like http://127.0.0.1:3000.`);
  }
  return text.replace(/\/+$/, '');
}

function localUrl(dataDir: string): string {
  return readJson<{ gatewayUrl?: string }>(join(dataDir, 'ports.json'))?.gatewayUrl ?? 'http://127.0.0.1:3000';
}

/** The runner's made-up password is only ever sent to this machine. */
function madeUpPassword(url: string, dataDir: string): string | undefined {
  if (!LOCAL_HOSTS.includes(new URL(url).hostname)) return undefined;
  return readJson<{ adminPassword?: string }>(join(dataDir, 'secrets.json'))?.adminPassword;
}

/** What a JSON file says; undefined where there is none that can be read. */
export function readJson<T>(path: string): T | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch {
    return undefined;
  }
}
