import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isTlsOn, keepCertificates, localProof, removeCertificates, tlsFiles } from './certificates.ts';
import { layout, SERVICES } from './layout.ts';
import { loadSecrets } from './secrets.ts';

let dataDir: string;
let stop: () => void = () => undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'souk-tls-'));
});
afterEach(() => {
  stop();
  rmSync(dataDir, { recursive: true });
});

function certificateOf(name: string): X509Certificate {
  return new X509Certificate(readFileSync(tlsFiles(dataDir, name).certFile));
}

it('gives each service a certificate with its name, which only the owner of the folder can read', async () => {
  stop = await keepCertificates(dataDir);
  for (const name of [...SERVICES, 'ops']) {
    const { caFile, certFile, keyFile } = tlsFiles(dataDir, name);
    const authority = new X509Certificate(readFileSync(caFile));
    expect(certificateOf(name).subjectAltName).toContain(`URI:spiffe://souk/${name},`);
    expect(certificateOf(name).verify(authority.publicKey)).toBe(true);
    expect([caFile, certFile, keyFile].map((file) => statSync(file).mode & 0o777)).toEqual([0o600, 0o600, 0o600]);
  }
});

it('keeps the key of the authority in no file', async () => {
  stop = await keepCertificates(dataDir);
  const files = readdirSync(join(dataDir, 'tls'), { recursive: true, withFileTypes: true }).filter((file) =>
    file.isFile(),
  );
  const texts = files.map((file) => readFileSync(join(file.parentPath, file.name), 'utf8'));
  // One key for each certificate, and none for the authority's.
  expect(texts.filter((text) => text.includes('PRIVATE KEY'))).toHaveLength(SERVICES.length + 1);
  const authority = new X509Certificate(readFileSync(tlsFiles(dataDir, 'ops').caFile));
  const keys = [...SERVICES, 'ops'].map((name) => readFileSync(tlsFiles(dataDir, name).keyFile));
  expect(keys.some((key) => authority.checkPrivateKey(createPrivateKey(key)))).toBe(false);
});

it('replaces certificates before they end, and goes on with the same authority', async () => {
  stop = await keepCertificates(dataDir, 2_000);
  const [before, ca] = [certificateOf('orders'), readFileSync(tlsFiles(dataDir, 'orders').caFile)];
  await sleep(1_900);
  expect(certificateOf('orders').serialNumber).not.toBe(before.serialNumber);
  expect(readFileSync(tlsFiles(dataDir, 'orders').caFile)).toEqual(ca);
});

it('lets operators in by their certificate, or by the secret where TLS is off', async () => {
  expect(localProof(dataDir)).toBeUndefined();
  const { serviceToken } = loadSecrets(layout(dataDir).secrets);
  stop = await keepCertificates(dataDir);
  expect(localProof(dataDir)).toEqual({ tls: tlsFiles(dataDir, 'ops') });
  removeCertificates(dataDir);
  expect(localProof(dataDir)).toEqual({ serviceToken });
});

it('takes on and off, and nothing else', () => {
  expect([{}, { SOUK_TLS: 'off' }, { SOUK_TLS: 'on' }].map(isTlsOn)).toEqual([false, false, true]);
  expect(() => isTlsOn({ SOUK_TLS: 'yes' })).toThrow('SOUK_TLS=yes is neither on nor off.');
});
