// Private keys at rest: AES-256-GCM, bound to the key's identifier. Guarantees: a sealed key opens with the same secret
// and for the same identifier, unchanged, or not at all.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const CIPHER = 'aes-256-gcm';
const SECRET_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

export class KeyCipher {
  private readonly secret: Buffer;

  /** @param secret 32 bytes in base64 */
  constructor(secret: string) {
    this.secret = Buffer.from(secret, 'base64');
    if (this.secret.length !== SECRET_BYTES) throw new Error('The key for encryption must be 32 bytes in base64.');
  }

  seal(keyId: string, privateKey: Buffer): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.secret, nonce).setAAD(Buffer.from(keyId));
    const sealed = Buffer.concat([cipher.update(privateKey), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  /** The private key; undefined where it was sealed with another secret, for another identifier, or was changed. */
  open(keyId: string, sealed: Buffer): Buffer | undefined {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    if (tag.length !== TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, this.secret, nonce).setAAD(Buffer.from(keyId)).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}
