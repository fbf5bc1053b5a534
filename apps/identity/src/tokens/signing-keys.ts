// The key that access tokens are signed with. Guarantees: made at the first start and the same for all replicas and
// restarts from then on; a service with the wrong SOUK_KEY_ENCRYPTION_KEY does not start.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ConfigError } from '@souk/config';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import type { KeyCipher } from '../key-cipher.js';
import type { SigningKeysStore, StoredKey } from './signing-keys.store.js';

export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

export class SigningKeys {
  private loaded: SigningKey | undefined;

  constructor(
    private readonly store: SigningKeysStore,
    private readonly cipher: KeyCipher,
  ) {}

  /** Nest calls it before anything is served. */
  async onModuleInit(): Promise<void> {
    await this.load();
  }

  /** Reads the key, or makes it where there is none. */
  async load(): Promise<void> {
    if (!(await this.store.active())) await this.store.insert(await this.make());
    const stored = await this.store.active();
    if (!stored) throw new Error('There is no active signing key.');
    this.loaded = this.open(stored);
  }

  current(): SigningKey {
    if (!this.loaded) throw new Error('The signing key is not loaded yet.');
    return this.loaded;
  }

  /** Every key that a token in circulation may be signed with, newest first. */
  publicKeys(): Promise<JWK[]> {
    return this.store.list();
  }

  private async make(): Promise<StoredKey> {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const publicJwk = { ...(await exportJWK(publicKey)), alg: 'EdDSA', use: 'sig' };
    const keyId = await calculateJwkThumbprint(publicJwk);
    const sealedPrivateKey = this.cipher.seal(keyId, privateKey.export({ type: 'pkcs8', format: 'der' }));
    return { keyId, publicJwk, sealedPrivateKey };
  }

  private open({ keyId, sealedPrivateKey }: StoredKey): SigningKey {
    const opened = this.cipher.open(keyId, sealedPrivateKey);
    if (!opened) {
      throw new ConfigError([
        'SOUK_KEY_ENCRYPTION_KEY is wrong: it does not open the signing key in the database, which was stored under another one.',
      ]);
    }
    return { keyId, privateKey: createPrivateKey({ key: opened, type: 'pkcs8', format: 'der' }) };
  }
}
