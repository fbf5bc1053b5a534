/**
 * The certificates of a Souk on this machine, where SOUK_TLS=on: one for each service and one for operators' tools. Their authority lives
 * in the memory of this process, so that no service can make a certificate, and none outlives the run by more than a day.
 * Each is replaced after half of its life; the services read it again by themselves.
 */
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StartupError } from '@souk/infra';
import { layout, SERVICES } from './layout.ts';
import { loadSecrets } from './secrets.ts';

/** What operators' tools are called. */
export const OPERATOR = 'ops';
const LIFE_MS = 24 * 3_600_000;
/** By the clock and not by one long timer, which stands still while a machine sleeps. */
const LOOK_EVERY_MS = 60_000;

export interface TlsFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** Whether this environment turns TLS on. */
export function isTlsOn(env: NodeJS.ProcessEnv): boolean {
  const value = env['SOUK_TLS'] || 'off';
  if (value === 'on' || value === 'off') return value === 'on';
  throw new StartupError(`SOUK_TLS=${value} is neither on nor off.`);
}

/** Where the certificate of a service lies. */
export function tlsFiles(dataDir: string, name: string): TlsFiles {
  const inside = (file: string): string => join(layout(dataDir).tls, name, file);
  return { caFile: inside('ca.pem'), certFile: inside('cert.pem'), keyFile: inside('key.pem') };
}

/**
 * How a program proves that name to the services of this data folder, a service's or by default that of operators' tools: fits
 * the clients of @souk/rpc. Undefined where no Souk was ever started.
 */
export function localProof(
  dataDir: string,
  name: string = OPERATOR,
): { tls: TlsFiles } | { serviceToken: string } | undefined {
  const tls = tlsFiles(dataDir, name);
  if (existsSync(tls.certFile)) return { tls };
  const { secrets } = layout(dataDir);
  return existsSync(secrets) ? { serviceToken: loadSecrets(secrets).serviceToken } : undefined;
}

/** Puts certificates for everybody into the data folder and keeps them fresh. @returns what ends it */
export async function keepCertificates(dataDir: string, lifeMs = LIFE_MS): Promise<() => void> {
  // Loaded here, since it takes longer than all else that a start without TLS loads.
  const { CertificateAuthority } = await import('@souk/infra/certificates');
  const authority = await CertificateAuthority.create();
  const names = [...SERVICES, OPERATOR];
  const issueAll = async (): Promise<number> => {
    const issuedAt = Date.now();
    for (const name of names) {
      const { certificate, key } = await authority.issue({ uri: `spiffe://souk/${name}`, lifeMs });
      put(tlsFiles(dataDir, name), { ca: authority.certificate, certificate, key });
    }
    return issuedAt;
  };
  removeCertificates(dataDir);
  let issuedAt = await issueAll();
  const renew = async (): Promise<void> => {
    if (Date.now() - issuedAt < lifeMs / 2) return;
    const before = issuedAt;
    issuedAt = Date.now();
    await issueAll().catch((error: unknown) => {
      issuedAt = before;
      process.stderr.write(`The certificates could not be renewed and are tried again: ${String(error)}\n`);
    });
  };
  const timer = setInterval(() => void renew(), Math.min(LOOK_EVERY_MS, lifeMs / 4));
  return () => clearInterval(timer);
}

/** Without TLS none are left, so that nobody takes them for those in use. */
export function removeCertificates(dataDir: string): void {
  rmSync(layout(dataDir).tls, { recursive: true, force: true });
}

function put(files: TlsFiles, text: { ca: string; certificate: string; key: string }): void {
  mkdirSync(join(files.caFile, '..'), { recursive: true, mode: 0o700 });
  for (const [file, content] of [
    [files.caFile, text.ca],
    [files.keyFile, text.key],
    [files.certFile, text.certificate],
  ] as const) {
    writeFileSync(`${file}.unfinished`, content, { mode: 0o600 });
    renameSync(`${file}.unfinished`, file);
  }
}
