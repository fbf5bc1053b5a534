// The certificate of an erasure: a JWS that says what became of a person's data, and names nobody. Guarantees: it is signed with the key that
// signs access tokens at that moment, for an audience that no service takes for one; that key is kept with it, since
// keys rotate.
import { TOKEN_ALGORITHM, TOKEN_ISSUER } from '@souk/auth';
import { SignJWT } from 'jose';
import type { SigningKeys } from '../tokens/signing-keys.js';
import type { Certificate, ErasureTask } from './erasures.store.js';
import type { Reported } from './report.js';

export const CERTIFICATE_TYPE = 'erasure+jwt';
export const CERTIFICATE_AUDIENCE = 'souk-erasure';

export class Certificates {
  constructor(private readonly keys: SigningKeys) {}

  async sign({ erasureId, requestedAt }: ErasureTask, report: readonly Reported[], at: Date): Promise<Certificate> {
    const { keyId, privateKey } = await this.keys.current();
    const key = (await this.keys.published()).find((published) => published.jwk.kid === keyId);
    if (!key) throw new Error('The key that signs is not published.');
    const claims = {
      requested_at: requestedAt.toISOString(),
      completed_at: at.toISOString(),
      treatments: report.map(({ service, what, action, count, reason }) => ({
        service,
        what,
        action: action.toLowerCase(),
        ...(count > 0 && { count }),
        ...(reason && { reason }),
      })),
    };
    const text = await new SignJWT(claims)
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId, typ: CERTIFICATE_TYPE })
      .setIssuer(TOKEN_ISSUER)
      .setAudience(CERTIFICATE_AUDIENCE)
      .setJti(erasureId)
      .setIssuedAt(at)
      .sign(privateKey);
    return { text, key: key.jwk };
  }
}
