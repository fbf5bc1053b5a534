// The keys that access tokens are signed with. Guarantees: a first one is made at the first start, the same for all replicas;
// a service with the wrong SOUK_KEY_ENCRYPTION_KEY does not start; a rotation logs nobody out.
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { ConfigError } from '@souk/config';
import { calculateJwkThumbprint, exportJWK } from 'jose';
import type { KeyCipher } from '../key-cipher.js';
import type { PublishedKey, SigningKeysStore, StoredKey } from './signing-keys.store.js';

export interface SigningKey {
  readonly keyId: string;
  readonly privateKey: KeyObject;
}

/**
 * How long a key is published before it signs: verifiers fetch keys anew every five minutes, and whoever else reads them over
 * HTTP may keep them for one.
 */
export const KEY_LEAD_SECONDS = 10 * 60;

export class SigningKeys {
  private opened: SigningKey | undefined;

  constructor(
    private readonly store: SigningKeysStore,
    private readonly cipher: KeyCipher,
  ) {}

  /** Nest calls it before anything is served. Makes the first key where there is none. */
  async onModuleInit(): Promise<void> {
    if (!(await this.store.signer())) await this.store.insertFirst(await this.make());
    await this.current();
  }

  /** The key that signs at this moment. */
  async current(): Promise<SigningKey> {
    const stored = await this.store.signer();
    if (!stored) throw new Error('There is no signing key.');
    if (this.opened?.keyId !== stored.keyId) this.opened = this.open(stored);
    return this.opened;
  }

  /** Every key that a token may be signed with, now or soon; newest first. */
  published(): Promise<PublishedKey[]> {
    return this.store.list();
  }

  /**
   * Makes the next key where the newest one has signed for so long; others go on until it signs.
   * @returns whether there is a new one
   */
  async rotate(minimumSeconds = 0): Promise<boolean> {
    return this.store.insertNext(await this.make(), KEY_LEAD_SECONDS, minimumSeconds);
  }

  /**
   * Makes a key that signs at once and withdraws all others, as one that was stolen must be. Tokens that they signed are
   * refused soon; sessions go on, and get new tokens.
   */
  async replaceAll(): Promise<void> {
    await this.store.replaceAll(await this.make());
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
