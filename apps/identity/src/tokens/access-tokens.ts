// Access tokens: short-lived JWTs that every service verifies by itself. Guarantees: what `@souk/auth` expects of them.
// A token can't be called back; it ends by its expiry.
import { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@souk/auth';
import { SignJWT } from 'jose';
import type { User } from '../accounts/users.store.js';
import type { RolesStore } from '../roles/roles.store.js';
import type { SigningKeys } from './signing-keys.js';

export const ACCESS_TOKEN_SECONDS = 15 * 60;

export class AccessTokens {
  constructor(
    private readonly keys: SigningKeys,
    private readonly roles: RolesStore,
  ) {}

  async issue({ userId, email, emailVerified, roles }: User, sessionId: string): Promise<string> {
    const { keyId, privateKey } = await this.keys.current();
    const scope = (await this.roles.ownPermissions(roles)).join(' ');
    return new SignJWT({ email, email_verified: emailVerified, roles, sid: sessionId, ...(scope && { scope }) })
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId })
      .setSubject(userId)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${ACCESS_TOKEN_SECONDS} seconds`)
      .sign(privateKey);
  }
}
