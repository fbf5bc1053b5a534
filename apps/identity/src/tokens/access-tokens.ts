// Access tokens: short-lived JWTs that every service verifies by itself. Guarantees: what `@souk/auth` expects of them.
// A token can't be called back; it ends by its expiry.
import { ENROLMENT_AUDIENCE, TOKEN_ALGORITHM, TOKEN_AUDIENCE, TOKEN_ISSUER, type Permission } from '@souk/auth';
import { DomainError } from '@souk/errors';
import { SignJWT, type JWTPayload } from 'jose';
import type { User } from '../accounts/users.store.js';
import type { RolesStore } from '../roles/roles.store.js';
import { worksHere, type Method } from '../sessions/methods.js';
import type { SigningKeys } from './signing-keys.js';

export const ACCESS_TOKEN_SECONDS = 15 * 60;

/** What is asked of those who run the shop. */
export interface StaffPolicy {
  readonly secondFactorRequired: boolean;
  /** They log in by the identity provider alone. */
  readonly passwordRefused: boolean;
}

export interface IssuedToken {
  readonly accessToken: string;
  /** The token lets its bearer set up a second factor and no more. */
  readonly mustEnrol: boolean;
}

export class AccessTokens {
  constructor(
    private readonly keys: SigningKeys,
    private readonly roles: RolesStore,
    private readonly policy: StaffPolicy,
  ) {}

  /**
   * A person's token, of as much worth as the session. What built-in roles may do is left to whoever verifies it. Whom the
   * identity provider let in has shown as many factors as it asks for.
   * @throws DomainError PASSWORD_LOGIN_OFF
   */
  async issue(user: User, session: { sessionId: string; methods: readonly Method[] }): Promise<IssuedToken> {
    const { userId, email, emailVerified, roles } = user;
    const { sessionId: sid, methods: amr } = session;
    const byProvider = amr.includes('fed');
    if (this.policy.passwordRefused && worksHere(roles) && !byProvider) throw passwordLoginOff();
    if (this.requiresSecondFactor(user) && !byProvider && !amr.includes('mfa')) {
      return { accessToken: await this.sign(userId, { sid, amr }, ENROLMENT_AUDIENCE), mustEnrol: true };
    }
    const scope = (await this.roles.ownPermissions(roles)).join(' ');
    const claims = { email, email_verified: emailVerified, roles, sid, amr, ...(scope && { scope }) };
    return { accessToken: await this.sign(userId, claims), mustEnrol: false };
  }

  /** Whether the person's tokens are good for more than to set up a second factor only where they have shown one. */
  requiresSecondFactor({ roles }: User): boolean {
    return this.policy.secondFactorRequired && worksHere(roles);
  }

  /** A program's token. */
  issueToClient(clientId: string, permissions: readonly Permission[]): Promise<string> {
    return this.sign(clientId, { client_id: clientId, scope: permissions.join(' ') });
  }

  private async sign(subject: string, claims: JWTPayload, audience = TOKEN_AUDIENCE): Promise<string> {
    const { keyId, privateKey } = await this.keys.current();
    return new SignJWT(claims)
      .setProtectedHeader({ alg: TOKEN_ALGORITHM, kid: keyId })
      .setSubject(subject)
      .setIssuer(TOKEN_ISSUER)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime(`${ACCESS_TOKEN_SECONDS} seconds`)
      .sign(privateKey);
  }
}

function passwordLoginOff(): DomainError {
  return new DomainError({
    kind: 'forbidden',
    reason: 'PASSWORD_LOGIN_OFF',
    message: 'Whoever works for this shop logs in by its identity provider.',
  });
}
