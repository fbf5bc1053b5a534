/**
 * What the token endpoint of OAuth 2 says and understands in ways of its own (RFC 6749, sections 2.3.1, 3.2 and 5.2): forms in
 * place of JSON, client credentials in a header, errors by `error`. What is not the client's fault stays a problem document.
 */
import { DomainError, invalid } from '@souk/errors';
import type { FastifyReply } from 'fastify';
import type { Problem } from './problem.js';

export interface ClientCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
}

/** What an error is answered with. */
export interface OAuthError {
  readonly error: string;
  readonly error_description: string;
  readonly reason: string;
  readonly requestId: string;
}

const BASIC = /^Basic +([A-Za-z0-9+/=]+)$/i;
const ERROR_OF_REASON: Readonly<Record<string, string>> = {
  INVALID_CLIENT: 'invalid_client',
  INVALID_SCOPE: 'invalid_scope',
  UNSUPPORTED_GRANT_TYPE: 'unsupported_grant_type',
};
const OF_THE_REQUEST = new Set([400, 413, 415]);

/**
 * The parameters of a form; an empty one counts as left out.
 * @throws DomainError INVALID_ARGUMENT where one is given twice
 */
export function parseForm(text: string): Record<string, string> {
  const given = [...new URLSearchParams(text)];
  const names = given.map(([name]) => name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (twice.length > 0) throw invalid([...new Set(twice)].map((field) => ({ field, description: 'is given twice' })));
  return Object.fromEntries(given.filter(([, value]) => value !== ''));
}

/**
 * Who asks, by the header or by the form.
 * @throws DomainError INVALID_ARGUMENT for both at once, INVALID_CLIENT for neither
 */
export function clientCredentials(
  authorization: string | undefined,
  form: { client_id?: string | undefined; client_secret?: string | undefined },
): ClientCredentials {
  if (authorization === undefined) {
    if (form.client_id && form.client_secret) return { clientId: form.client_id, clientSecret: form.client_secret };
    throw invalidClient('Send the identifier and the secret of the client, by HTTP Basic or in the form.');
  }
  if (form.client_secret) throw invalid([{ field: 'client_secret', description: 'is given by the header already' }]);
  const [, id, secret] = /^([^:]*):(.*)$/s.exec(decoded(BASIC.exec(authorization)?.[1] ?? '')) ?? [];
  const [clientId, clientSecret] = [formDecoded(id), formDecoded(secret)];
  if (!clientId || !clientSecret) throw invalidClient('The Authorization header holds no client credentials.');
  if (form.client_id && form.client_id !== clientId) {
    throw invalid([{ field: 'client_id', description: 'is another one than in the header' }]);
  }
  return { clientId, clientSecret };
}

/** @throws DomainError UNSUPPORTED_GRANT_TYPE */
export function checkGrantType(grantType: string): void {
  if (grantType === 'client_credentials') return;
  throw new DomainError({
    kind: 'invalid',
    reason: 'UNSUPPORTED_GRANT_TYPE',
    message: 'The only grant type is client_credentials.',
  });
}

/** Sends a problem the way clients of OAuth understand it. @returns false where it is no fault of the client */
export function sendOAuthError(problem: Problem, reply: FastifyReply): boolean {
  const { status, reason, requestId } = problem;
  const error = ERROR_OF_REASON[reason] ?? (OF_THE_REQUEST.has(status) ? 'invalid_request' : undefined);
  if (!error) return false;
  const body: OAuthError = { error, error_description: describe(problem), reason, requestId };
  if (status === 401) void reply.header('www-authenticate', 'Basic realm="souk", charset="UTF-8"');
  void reply.status(status).headers({ pragma: 'no-cache', 'content-type': 'application/json' }).send(body);
  return true;
}

/** In the characters that the standard allows. */
function describe({ detail }: Problem): string {
  return detail.replaceAll('"', "'").replace(/[^\x20-\x5b\x5d-\x7e]/g, '?');
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString();
}

/** Both parts of the header are encoded as in a form. */
function formDecoded(text: string | undefined): string {
  return new URLSearchParams(`part=${text?.replaceAll('&', '%26') ?? ''}`).get('part') ?? '';
}

function invalidClient(message: string): DomainError {
  return new DomainError({ kind: 'unauthenticated', reason: 'INVALID_CLIENT', message });
}
