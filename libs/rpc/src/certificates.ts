/**
 * A service's own certificate, with its key and the authority that it trusts, read from files. They are read again every
 * two seconds by their names, so that files, links and whole folders may be replaced. Only a set that fits together and
 * names the same service takes the place of the last one; otherwise that one goes on being used and the log says why.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createLogger, type Logger } from '@souk/telemetry';
import { namedService } from './service-names.js';

const LOOK_EVERY_MS = 2_000;
/** The part of its life in which a certificate should have been renewed. */
const ENDING = 0.2;

/** Where the files lie, all of them PEM. */
export interface TlsFiles {
  /** The authorities that certificates are verified with. */
  readonly caFile: string;
  /** The service's certificate, and any between it and the authority. */
  readonly certFile: string;
  readonly keyFile: string;
}

/** Files that fit together. */
export interface Certificate {
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly from: number;
  readonly until: number;
}

type Contents = readonly [ca: Buffer, cert: Buffer, key: Buffer];

const OPEN = new Map<string, CertificateFiles>();

export class CertificateFiles {
  private certificate: Certificate;
  private fault: string | undefined;
  private looking = false;
  private readonly listeners = new Set<(certificate: Certificate) => void>();
  private readonly logger: Logger;

  private constructor(
    private readonly files: TlsFiles,
    private readonly service: string,
  ) {
    this.logger = createLogger(service);
    this.certificate = fitting(files, service, readAll(files));
    setInterval(() => void this.look(), LOOK_EVERY_MS).unref();
  }

  /**
   * The files of a service, shared by all servers and clients of this process and looked at for as long as it lives.
   * @throws with a sentence that names the file that is wrong
   */
  static of(files: TlsFiles, service: string): CertificateFiles {
    const id = JSON.stringify([service, files.caFile, files.certFile, files.keyFile]);
    const found = OPEN.get(id) ?? new CertificateFiles(files, service);
    OPEN.set(id, found);
    return found;
  }

  /** Another object once the files have changed. */
  get current(): Certificate {
    return this.certificate;
  }

  /** @returns what ends it */
  onChange(listener: (certificate: Certificate) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private async look(): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      this.take(await readAllLater(this.files));
      this.tell(this.ending());
    } catch (error) {
      this.tell((error as Error).message);
    } finally {
      this.looking = false;
    }
  }

  private take(contents: Contents): void {
    const { ca, cert, key } = this.certificate;
    if (same(contents, [ca, cert, key])) return;
    this.certificate = fitting(this.files, this.service, contents);
    this.logger.info('the certificate has changed');
    for (const listener of this.listeners) listener(this.certificate);
  }

  private ending(): string | undefined {
    const { from, until } = this.certificate;
    if (until - Date.now() > (until - from) * ENDING) return undefined;
    return `The certificate in ${this.files.certFile} ends at ${new Date(until).toISOString()} and was not renewed.`;
  }

  /** Once for each fault in a row: it is found again at every look. */
  private tell(fault: string | undefined): void {
    if (fault && fault !== this.fault) this.logger.warn({ fault }, 'the last certificate stays in use');
    this.fault = fault;
  }
}

function readAll({ caFile, certFile, keyFile }: TlsFiles): Contents {
  const read = (file: string) => withSentence(file, () => readFileSync(file));
  return [read(caFile), read(certFile), read(keyFile)];
}

async function readAllLater({ caFile, certFile, keyFile }: TlsFiles): Promise<Contents> {
  const [ca, cert, key] = await Promise.all([readFile(caFile), readFile(certFile), readFile(keyFile)]);
  return [ca, cert, key];
}

function fitting(files: TlsFiles, service: string, [ca, cert, key]: Contents): Certificate {
  withSentence(files.caFile, () => new X509Certificate(ca));
  const own = withSentence(files.certFile, () => new X509Certificate(cert));
  const privateKey = withSentence(files.keyFile, () => createPrivateKey(key));
  const name = namedService(own.subjectAltName);
  if (name !== service) throw new Error(`The certificate in ${files.certFile} does not name the service ${service}.`);
  if (!own.checkPrivateKey(privateKey))
    throw new Error(`The key in ${files.keyFile} is not that of ${files.certFile}.`);
  const [from, until] = [Date.parse(own.validFrom), Date.parse(own.validTo)];
  if (until < Date.now()) throw new Error(`The certificate in ${files.certFile} has expired.`);
  return { ca, cert, key, from, until };
}

function withSentence<T>(file: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new Error(`${file} cannot be used: ${(error as Error).message}`, { cause: error });
  }
}

function same(one: Contents, other: Contents): boolean {
  return one.every((content, index) => other[index]?.equals(content));
}
