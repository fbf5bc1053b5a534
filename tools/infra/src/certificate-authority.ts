/**
 * A certificate authority for one machine. Its key is made in this process and never leaves its memory: no service can
 * read it, and nothing can be signed once the process has ended.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** The authority lives as long as its process, which is never this long. */
const AUTHORITY_MS = 3_650 * DAY_MS;
/** Clocks differ: a certificate is good from a little before it was made. */
const BACKDATED_MS = 5 * MINUTE_MS;

export interface CertificateRequest {
  /** What it names: `spiffe://souk/orders`. */
  readonly uri: string;
  /** How long it is good for, from now. */
  readonly lifeMs: number;
}

/** A certificate and its key, as PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly key: string;
}

export class CertificateAuthority {
  /** Its own certificate, as PEM: what its certificates are verified with. */
  readonly certificate: string;
  readonly #keys: webcrypto.CryptoKeyPair;
  readonly #issuer: x509.X509Certificate;

  private constructor(keys: webcrypto.CryptoKeyPair, issuer: x509.X509Certificate) {
    this.#keys = keys;
    this.#issuer = issuer;
    this.certificate = pem(issuer);
  }

  static async create(): Promise<CertificateAuthority> {
    const keys = await makeKeys(false);
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      name: 'CN=Souk on this machine',
      keys,
      ...validity(AUTHORITY_MS),
      signingAlgorithm: ALGORITHM,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    });
    return new CertificateAuthority(keys, certificate);
  }

  /** A certificate that nobody vouches for. */
  static selfSigned(request: CertificateRequest): Promise<IssuedCertificate> {
    return issued(request);
  }

  /** A certificate for servers and clients, with a key of its own. It also names this machine, for callers from outside. */
  issue(request: CertificateRequest): Promise<IssuedCertificate> {
    return issued(request, { issuer: this.#issuer, key: this.#keys.privateKey });
  }
}

interface Signer {
  readonly issuer: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

async function issued({ uri, lifeMs }: CertificateRequest, signer?: Signer): Promise<IssuedCertificate> {
  const keys = await makeKeys(true);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: signer ? '' : 'CN=Signed by itself',
    issuer: signer?.issuer.subject ?? 'CN=Signed by itself',
    publicKey: keys.publicKey,
    signingKey: signer?.key ?? keys.privateKey,
    ...validity(lifeMs),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      // Critical, since the certificate has no other name.
      new x509.SubjectAlternativeNameExtension(
        [
          { type: 'url', value: uri },
          { type: 'dns', value: 'localhost' },
          { type: 'ip', value: '127.0.0.1' },
        ],
        true,
      ),
      await x509.AuthorityKeyIdentifierExtension.create(signer?.issuer.publicKey ?? keys.publicKey),
    ],
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificate: pem(certificate), key: `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n` };
}

function makeKeys(extractable: boolean): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, extractable, ['sign', 'verify']);
}

function validity(lifeMs: number): { notBefore: Date; notAfter: Date } {
  const until = Date.now() + lifeMs;
  return { notBefore: new Date(Math.min(Date.now(), until) - BACKDATED_MS), notAfter: new Date(until) };
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}
