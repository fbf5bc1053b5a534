// Log-ins by the provider, and who is who there. Guarantees: a log-in ends once, within ten minutes, by the browser that began
// it; nothing is stored that could end it. A person of a provider is one account, and an account one person of it.
import { createHmac } from 'node:crypto';
import { sql, type Database, type Transaction } from '@souk/postgres';
import { hashOfToken, newSecretToken } from '../secret-token.js';
import type { Checks } from './identity-provider.js';

export const PROVIDER_LOGIN_SECONDS = 10 * 60;

const BEGIN = sql(
  'provider_logins.begin',
  `INSERT INTO provider_logins (state_hash, verifier_hash, expires_at)
   VALUES ($1, $2, now() + make_interval(secs => $3))`,
);
const TAKE = sql(
  'provider_logins.take',
  `DELETE FROM provider_logins WHERE state_hash = $1 AND verifier_hash = $2 AND expires_at > now() RETURNING state_hash`,
);
const FIND_USER = sql(
  'provider_identities.find_user',
  'SELECT user_id FROM provider_identities WHERE issuer = $1 AND subject = $2',
);
const IS_LINKED = sql(
  'provider_identities.is_linked',
  'SELECT subject FROM provider_identities WHERE issuer = $1 AND user_id = $2',
);
const LINK = sql(
  'provider_identities.link',
  `INSERT INTO provider_identities (issuer, subject, user_id) VALUES ($1, $2, $3)
   ON CONFLICT (issuer, subject) DO UPDATE SET last_login_at = now()`,
);

export class ProviderLoginsStore {
  constructor(
    private readonly database: Database,
    /** Makes the nonce and the PKCE verifier of what the browser keeps. */
    private readonly key: Buffer,
  ) {}

  /** Begins a log-in. */
  async begin(): Promise<Checks & { verifier: string }> {
    const [state, verifier] = [newSecretToken(), newSecretToken()];
    await this.database.query(BEGIN, [state.hash, verifier.hash, PROVIDER_LOGIN_SECONDS]);
    return { ...this.checksOf(state.text, verifier.text), verifier: verifier.text };
  }

  /** Ends it; undefined where there is none, or another browser began it. */
  async take(state: string, verifier: string): Promise<Checks | undefined> {
    const [stateHash, verifierHash] = [hashOfToken(state), hashOfToken(verifier)];
    if (!stateHash || !verifierHash) return undefined;
    const taken = await this.database.query(TAKE, [stateHash, verifierHash]);
    return taken.length > 0 ? this.checksOf(state, verifier) : undefined;
  }

  /** The account of a person of the provider. */
  async findUser(tx: Transaction, issuer: string, subject: string): Promise<string | undefined> {
    const [row] = await tx.query<{ user_id: string }>(FIND_USER, [issuer, subject]);
    return row?.user_id;
  }

  /** Whether the account is that of a person of the provider. */
  async isLinked(tx: Transaction, issuer: string, userId: string): Promise<boolean> {
    return (await tx.query(IS_LINKED, [issuer, userId])).length > 0;
  }

  /** Makes the account that of the person, or notes that they were here. */
  async link(tx: Transaction, issuer: string, subject: string, userId: string): Promise<void> {
    await tx.query(LINK, [issuer, subject, userId]);
  }

  private checksOf(state: string, verifier: string): Checks {
    const made = (purpose: string) =>
      createHmac('sha256', this.key).update(`${purpose}\n${state}\n${verifier}`).digest('base64url');
    return { state, nonce: made('nonce'), pkceVerifier: made('pkce') };
  }
}
