// The shop's identity provider, by openid-client. Guarantees: an ID token counts only with a signature by a key that the provider
// publishes at that moment, for this client, by this issuer, unexpired and with the nonce of this log-in; codes are exchanged with
// PKCE. Whether the provider can't be reached or refuses is told apart. Nothing of what it says is logged but its error codes.
import { DomainError } from '@souk/errors';
import type { Logger } from '@souk/telemetry';
import {
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  calculatePKCECodeChallenge,
  ClientError,
  clockTolerance,
  Configuration,
  discovery,
  enableNonRepudiationChecks,
  ResponseBodyError,
  type ServerMetadata,
} from 'openid-client';
import type { Claims } from './provider-claims.js';
import { isLoopback, type ProviderConfig } from './provider-config.js';

const TIMEOUT_SECONDS = 5;
const METADATA_FOR_MS = 5 * 60_000;
const CLOCK_TOLERANCE_SECONDS = 30;
/** What openid-client says where no answer came, or none that a provider gives. */
const NO_ANSWER = new Set([
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
  'OAUTH_PARSE_ERROR',
]);

/** What ties an answer of the provider to the log-in that it is for. */
export interface Checks {
  readonly state: string;
  readonly nonce: string;
  readonly pkceVerifier: string;
}

/** Who the provider says it is. */
export interface ProvidedIdentity {
  readonly issuer: string;
  readonly subject: string;
  readonly claims: Claims;
}

export class IdentityProvider {
  private metadata: { readonly value: ServerMetadata; readonly until: number } | undefined;

  constructor(
    private readonly config: ProviderConfig | undefined,
    private readonly logger: Logger,
  ) {}

  /** @throws DomainError PROVIDER_NOT_CONFIGURED */
  get configuration(): ProviderConfig {
    if (!this.config) throw notConfigured();
    return this.config;
  }

  /** @throws DomainError PROVIDER_NOT_CONFIGURED, PROVIDER_UNAVAILABLE */
  async authorizationUrl({ state, nonce, pkceVerifier }: Checks): Promise<string> {
    const { redirectUri, scope } = this.configuration;
    const url = buildAuthorizationUrl(await this.client(), {
      redirect_uri: redirectUri,
      scope,
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(pkceVerifier),
      code_challenge_method: 'S256',
    });
    return url.href;
  }

  /** @throws DomainError PROVIDER_NOT_CONFIGURED, PROVIDER_UNAVAILABLE, PROVIDER_LOGIN_REFUSED */
  async exchange(answer: { code: string; issuer: string }, checks: Checks): Promise<ProvidedIdentity> {
    const client = await this.client();
    const back = new URL(this.configuration.redirectUri);
    back.searchParams.set('code', answer.code);
    back.searchParams.set('state', checks.state);
    if (answer.issuer) back.searchParams.set('iss', answer.issuer);
    try {
      const tokens = await authorizationCodeGrant(client, back, {
        expectedState: checks.state,
        expectedNonce: checks.nonce,
        pkceCodeVerifier: checks.pkceVerifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (!claims) throw new Error('There is no ID token.');
      return { issuer: claims.iss, subject: claims.sub, claims };
    } catch (error) {
      throw this.failure(error);
    }
  }

  /** With an empty memory of keys: one that was withdrawn a moment ago opens nothing. Log-ins are rare enough for that. */
  private async client(): Promise<Configuration> {
    const { clientId, clientSecret } = this.configuration;
    const metadata = { client_secret: clientSecret, [clockTolerance]: CLOCK_TOLERANCE_SECONDS };
    const client = new Configuration(await this.discover(), clientId, metadata);
    client.timeout = TIMEOUT_SECONDS;
    enableNonRepudiationChecks(client);
    this.permitted().forEach((permit) => permit(client));
    return client;
  }

  private async discover(): Promise<ServerMetadata> {
    if (this.metadata && this.metadata.until > Date.now()) return this.metadata.value;
    const { issuer, clientId } = this.configuration;
    try {
      const options = { timeout: TIMEOUT_SECONDS, execute: this.permitted() };
      const value = (await discovery(new URL(issuer), clientId, undefined, undefined, options)).serverMetadata();
      this.metadata = { value, until: Date.now() + METADATA_FOR_MS };
      return value;
    } catch (error) {
      this.logger.warn({ code: codeOf(error) }, 'the identity provider can not be discovered');
      throw unavailable(error);
    }
  }

  private permitted(): ((client: Configuration) => void)[] {
    return isLoopback(new URL(this.configuration.issuer)) ? [allowInsecureRequests] : [];
  }

  private failure(error: unknown): DomainError {
    const fields = { code: codeOf(error), ...(error instanceof ResponseBodyError && { error: error.error }) };
    if (!isRefusal(error)) {
      this.logger.warn(fields, 'the identity provider does not answer');
      return unavailable(error);
    }
    this.logger.warn(fields, 'a log-in by the identity provider is refused');
    return refused(error);
  }
}

/** Whether the provider, or a check of its answer, says no. Anything else is taken for trouble that passes. */
function isRefusal(error: unknown): boolean {
  if (error instanceof ResponseBodyError) return error.status < 500;
  const code = codeOf(error);
  return error instanceof ClientError && code.startsWith('OAUTH_') && !NO_ANSWER.has(code);
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return '';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function notConfigured(): DomainError {
  return new DomainError({
    kind: 'not_found',
    reason: 'PROVIDER_NOT_CONFIGURED',
    message: 'This shop has no identity provider.',
  });
}

function unavailable(cause: unknown): DomainError {
  return new DomainError({
    kind: 'unavailable',
    reason: 'PROVIDER_UNAVAILABLE',
    message: 'The identity provider does not answer. Try again shortly.',
    cause,
  });
}

function refused(cause: unknown): DomainError {
  return new DomainError({
    kind: 'unauthenticated',
    reason: 'PROVIDER_LOGIN_REFUSED',
    message: 'The identity provider did not confirm this log-in. Begin again.',
    cause,
  });
}
