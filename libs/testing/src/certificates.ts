// Certificates in files, as services find them, from an authority of the test's own.
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CertificateAuthority, type IssuedCertificate } from '@souk/infra/certificates';

export { CertificateAuthority } from '@souk/infra/certificates';

const HOUR_MS = 3_600_000;

/** What a certificate names and how long it is good for; one hour and `spiffe://souk/<service>` by default. */
export interface TestCertificate {
  readonly uri?: string;
  readonly lifeMs?: number;
}

/** Where the files of a certificate lie: fits `tls` of @souk/rpc. */
export interface TestCertificateFiles {
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

/** A folder of certificates. Each service's files are replaced as Kubernetes replaces a secret: by a link to a new folder. */
export class TestCertificates {
  private readonly folder = mkdtempSync(join(tmpdir(), 'souk-certificates-'));
  private made = 0;

  private constructor(public authority: CertificateAuthority) {}

  static async make(): Promise<TestCertificates> {
    return new TestCertificates(await CertificateAuthority.create());
  }

  /** Makes the service's certificate, or another one in its place. */
  async issue(service: string, certificate: TestCertificate = {}): Promise<TestCertificateFiles> {
    const { uri = `spiffe://souk/${service}`, lifeMs = HOUR_MS } = certificate;
    return this.put(service, await this.authority.issue({ uri, lifeMs }), this.authority.certificate);
  }

  /** Puts these files in the place of the service's. */
  put(service: string, { certificate, key }: IssuedCertificate, ca: string): TestCertificateFiles {
    const own = join(this.folder, service);
    const data = join(own, `..${++this.made}`);
    mkdirSync(data, { recursive: true });
    for (const [name, text] of Object.entries({ 'ca.pem': ca, 'cert.pem': certificate, 'key.pem': key })) {
      writeFileSync(join(data, name), text, { mode: 0o600 });
    }
    symlinkSync(data, join(own, '..next'));
    renameSync(join(own, '..next'), join(own, '..data'));
    const inData = (name: string) => join(own, '..data', name);
    return { caFile: inData('ca.pem'), certFile: inData('cert.pem'), keyFile: inData('key.pem') };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true });
  }
}
