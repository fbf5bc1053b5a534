// Secrets at rest: AES-256-GCM, bound to what they belong to. Guarantees: what was sealed opens with the same secret and
// under the same name, unchanged, or not at all. Keys for other purposes are derived, so that none serves two of them.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

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

  seal(name: string, plain: Buffer): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.secret, nonce).setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(plain), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  /** What was sealed; undefined where it was sealed with another secret, under another name, or was changed. */
  open(name: string, sealed: Buffer): Buffer | undefined {
    const nonce = sealed.subarray(0, NONCE_BYTES);
    const tag = sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES);
    if (tag.length !== TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, this.secret, nonce).setAAD(Buffer.from(name)).setAuthTag(tag);
    try {
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  /** A key of 32 bytes for one purpose; the same for the same secret. */
  derive(purpose: string): Buffer {
    return Buffer.from(hkdfSync('sha256', this.secret, '', purpose, SECRET_BYTES));
  }
}
