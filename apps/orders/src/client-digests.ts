import { createHmac } from 'node:crypto';
import { sourceOf } from '@souk/auth';

/** Tells buyers' network addresses apart without keeping them: by digests that only who has the key can make. */
export class ClientDigests {
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = createHmac('sha256', secret).update('client addresses').digest();
  }

  /** @returns empty for what is no address */
  digestOf(address: string): string {
    const source = sourceOf(address);
    return source === '' ? '' : createHmac('sha256', this.#key).update(source).digest('base64url');
  }
}
