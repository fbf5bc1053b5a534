// Access tokens: short-lived JWTs that every service verifies by itself. Guarantees: what `@souk/auth` expects of them.
// A token can't be called back; it ends by its expiry.
import { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@souk/auth';
import { SignJWT } from 'jose';
import type { User } from '../accounts/users.store.js';
import type { SigningKeys } from './signing-keys.js';

export const ACCESS_TOKEN_SECONDS = 15 * 60;

export class AccessTokens {
  constructor(private readonly keys: SigningKeys) {}

  issue({ userId, email, emailVerified, roles }: User, sessionId: string): Promise<string> {
    const { keyId, privateKey } = this.keys.current();
    return new SignJWT({ email, email_verified: emailVerified, roles, sid: sessionId })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId })
      .setSubject(userId)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${ACCESS_TOKEN_SECONDS} seconds`)
      .sign(privateKey);
  }
}
