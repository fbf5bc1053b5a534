import { DomainError } from '@souk/errors';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;
let asked: object | undefined;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());
beforeEach(() => {
  asked = undefined;
  gateway.services.answers.machineClients.issueClientToken = (request) => {
    asked = request;
    return { accessToken: 'a.b.c', expiresIn: 900, scope: 'stock:read' };
  };
});

const FORM = 'application/x-www-form-urlencoded';
const GRANT = 'grant_type=client_credentials';

function ask(body: string, headers: Record<string, string> = {}): Promise<Response> {
  return gateway.fetch('/v1/oauth/token', { method: 'POST', body, headers: { 'content-type': FORM, ...headers } });
}

function basic(id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` };
}

const away = (init: ConstructorParameters<typeof DomainError>[0]) => {
  gateway.services.answers.machineClients.issueClientToken = () => {
    throw new DomainError(init);
  };
};

it('gives a token for credentials in the header or in the form, kept by no cache', async () => {
  const asks = [
    await ask(`${GRANT}&scope=stock%3Aread+stock:write`, basic('id', 'se%3Acr%2Bet')),
    await ask(`${GRANT}&scope=stock:read%20stock:write&client_id=id&client_secret=se:cr%2Bet&unknown=1`),
  ];
  for (const response of asks) {
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(response.headers.get('pragma')).toBe('no-cache');
    expect(await response.json()).toEqual({
      access_token: 'a.b.c',
      token_type: 'Bearer',
      expires_in: 900,
      scope: 'stock:read',
    });
    expect(asked).toEqual({ clientId: 'id', clientSecret: 'se:cr+et', scope: 'stock:read stock:write' });
  }
});

it.each([
  ['no grant type', 'client_id=i&client_secret=s', {}, 400, 'invalid_request'],
  ['an empty grant type', 'grant_type=&client_id=i&client_secret=s', {}, 400, 'invalid_request'],
  ['another grant type', 'grant_type=password', basic('i', 's'), 400, 'unsupported_grant_type'],
  ['a parameter twice', `${GRANT}&scope=a&scope=b`, basic('i', 's'), 400, 'invalid_request'],
  ['credentials twice', `${GRANT}&client_secret=s`, basic('i', 's'), 400, 'invalid_request'],
  ['two clients', `${GRANT}&client_id=other`, basic('i', 's'), 400, 'invalid_request'],
  ['no credentials', GRANT, {}, 401, 'invalid_client'],
  ['half of the credentials', `${GRANT}&client_id=i`, {}, 401, 'invalid_client'],
  ['a header without a colon', GRANT, { authorization: `Basic ${btoa('id')}` }, 401, 'invalid_client'],
  ['a token for credentials', GRANT, { authorization: 'Bearer a.b.c' }, 401, 'invalid_client'],
  ['JSON', '{"grant_type":"client_credentials"}', { 'content-type': 'application/json' }, 415, 'invalid_request'],
  ['a form that is too long', `${GRANT}&x=${'a'.repeat(20_000)}`, basic('i', 's'), 413, 'invalid_request'],
] as const)('refuses %s', async (_, body, headers, status, error) => {
  const response = await ask(body, headers);
  expect([response.status, await response.json()]).toEqual([
    status,
    {
      error,
      error_description: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/),
      reason: expect.any(String),
      requestId: expect.any(String),
    },
  ]);
  expect(response.headers.get('content-type')).toContain('application/json');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Basic realm="souk", charset="UTF-8"' : null);
  expect(asked).toBeUndefined();
});

it.each([
  ['unauthenticated', 'INVALID_CLIENT', 401, 'invalid_client'],
  ['invalid', 'INVALID_SCOPE', 400, 'invalid_scope'],
] as const)('answers %s %s of identity with %i %s', async (kind, reason, status, error) => {
  away({ kind, reason, message: 'Not "good" — sorry.' });
  const response = await ask(GRANT, basic('i', 's'));
  expect(response.status).toBe(status);
  expect(await response.json()).toMatchObject({ error, reason, error_description: "Not 'good' ? sorry." });
});

it('answers what is no fault of the client with a problem', async () => {
  away({ kind: 'unavailable', reason: 'SERVICE_UNAVAILABLE', message: 'Away.' });
  const response = await ask(GRANT, basic('i', 's'));
  expect(response.status).toBe(503);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
});

it('takes a form nowhere else', async () => {
  const init = { method: 'POST', body: 'email=a', headers: { 'content-type': FORM } };
  expect((await gateway.fetch('/v1/auth/login', init)).status).toBe(415);
});
