// Access tokens: short-lived JWTs that every service verifies by itself. Guarantees: what `@souk/auth` expects of them.
// A token can't be called back; it ends by its expiry.
import { TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER, type Permission } from '@souk/auth';
import { SignJWT, type JWTPayload } from 'jose';
import type { User } from '../accounts/users.store.js';
import type { RolesStore } from '../roles/roles.store.js';
import type { SigningKeys } from './signing-keys.js';

export const ACCESS_TOKEN_SECONDS = 15 * 60;

export class AccessTokens {
  constructor(
    private readonly keys: SigningKeys,
    private readonly roles: RolesStore,
  ) {}

  /** A person's token. What built-in roles may do is left to whoever verifies it. */
  async issue({ userId, email, emailVerified, roles }: User, sessionId: string): Promise<string> {
    const scope = (await this.roles.ownPermissions(roles)).join(' ');
    const claims = { email, email_verified: emailVerified, roles, sid: sessionId, ...(scope && { scope }) };
    return this.sign(userId, claims);
  }

  /** A program's token. */
  issueToClient(clientId: string, permissions: readonly Permission[]): Promise<string> {
    return this.sign(clientId, { client_id: clientId, scope: permissions.join(' ') });
  }

  private async sign(subject: string, claims: JWTPayload): Promise<string> {
    const { keyId, privateKey } = await this.keys.current();
    return new SignJWT(claims)
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId })
      .setSubject(subject)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(TOKEN_AUDIENCE)
      .setIssuedAt()
      .setExpirationTime(`${ACCESS_TOKEN_SECONDS} seconds`)
      .sign(privateKey);
  }
}
