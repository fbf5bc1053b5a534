import { sourceOf } from '@souk/auth';
import { DomainError } from '@souk/errors';
import type { AttemptsStore, Try } from '../attempts/attempts.store.js';
import { LOGIN_FROM_SOURCE } from '../attempts/limits.js';
import type { Device } from '../sessions/device.js';
import type { LoggedIn } from '../sessions/open-session.js';
import type { AdmitStaff } from './admit-staff.js';
import type { IdentityProvider } from './identity-provider.js';
import { PROVIDER_LOGIN_SECONDS, type ProviderLoginsStore } from './provider-logins.store.js';

/** A log-in that has begun. */
export interface BegunLogin {
  readonly authorizationUrl: string;
  readonly verifier: string;
  readonly expiresIn: number;
}

/** Sends browsers to the shop's identity provider and opens sessions for those who come back. */
export class LogInByProvider {
  constructor(
    private readonly provider: IdentityProvider,
    private readonly logins: ProviderLoginsStore,
    private readonly admitStaff: AdmitStaff,
    private readonly attempts: AttemptsStore,
  ) {}

  /**
   * Counted as a try of where it comes from, so that nobody fills the table with log-ins that never end.
   * @throws DomainError PROVIDER_NOT_CONFIGURED, PROVIDER_UNAVAILABLE, TOO_MANY_ATTEMPTS
   */
  async begin(device: Device): Promise<BegunLogin> {
    // Throws where there is no provider.
    void this.provider.configuration;
    await this.attempts.begin(triesFrom(device));
    const { verifier, ...checks } = await this.logins.begin();
    const authorizationUrl = await this.provider.authorizationUrl(checks);
    return { authorizationUrl, verifier, expiresIn: PROVIDER_LOGIN_SECONDS };
  }

  /**
   * A code can't be exchanged twice, so whatever goes wrong after it was taken, the log-in begins again.
   * @throws DomainError PROVIDER_NOT_CONFIGURED, PROVIDER_UNAVAILABLE, PROVIDER_LOGIN_ENDED, PROVIDER_LOGIN_REFUSED, and what
   * AdmitStaff throws
   */
  async complete(
    back: { code: string; state: string; issuer: string; verifier: string },
    device: Device,
  ): Promise<LoggedIn> {
    void this.provider.configuration;
    const checks = await this.logins.take(back.state, back.verifier);
    if (!checks) throw loginEnded();
    const identity = await this.provider.exchange(back, checks);
    const loggedIn = await this.admitStaff.execute(identity, this.provider.configuration, device);
    await Promise.all(triesFrom(device).map((tried) => this.attempts.takeBack(tried)));
    return loggedIn;
  }
}

function triesFrom(device: Device): Try[] {
  const source = sourceOf(device.address);
  return source ? [{ limit: LOGIN_FROM_SOURCE, subject: source }] : [];
}

function loginEnded(): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'PROVIDER_LOGIN_ENDED',
    message: 'This log-in has ended, or another browser began it. Begin again.',
  });
}
