import { DomainError } from '@souk/errors';
import { NOON, USER_ID } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());

const ENTRY_ID = '019a6e0c-6f3e-7c1a-9b57-2f1d3c4b5a70';
const NOOR = {
  userId: USER_ID,
  email: 'noor@example.com',
  emailVerified: true,
  name: 'Noor',
  roles: ['customer'],
  createTime: NOON,
};
const NOOR_VIEW = {
  id: USER_ID,
  email: 'noor@example.com',
  emailVerified: true,
  name: 'Noor',
  roles: ['customer'],
  createdAt: NOON.toISOString(),
};
const ADDRESS = { name: 'Noor', line1: '12 Lane', city: 'Leipzig', postalCode: '04109', country: 'DE' };
const TOKENS = { accessToken: 'a.b.c', refreshToken: 'r', expiresIn: 900, mustEnrol: false };
const login = { email: 'noor@example.com', password: 'secret' };

async function problem(response: Response): Promise<Record<string, unknown>> {
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  return (await response.json()) as Record<string, unknown>;
}

/** Sends a JSON body as the customer. */
function send(method: string, path: string, json?: object): Promise<Response> {
  return gateway.fetch(path, { method, token: gateway.customer, ...(json && { json }) });
}

describe('getting in', () => {
  it('opens a session, also for who sends an expired token along', async () => {
    gateway.services.answers.identity.login = () => ({ user: NOOR, tokens: TOKENS });
    const response = await gateway.fetch('/v1/auth/login', { method: 'POST', json: login, token: 'not.valid.atall' });
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ ...TOKENS, user: NOOR_VIEW });
  });

  it.each([
    ['register', '/v1/auth/register', { email: 'noor@example.com', password: 'a quiet garden', name: 'Noor' }],
    ['login', '/v1/auth/login', login],
    ['completeLogin', '/v1/auth/login/code', { challengeToken: 'c', code: '287082' }],
    ['refreshSession', '/v1/auth/refresh', { refreshToken: 'r' }],
  ] as const)('tells identity where a request to %s came from', async (rpc, path, json) => {
    let asked: object = {};
    gateway.services.answers.identity[rpc] = (request: object) => {
      asked = request;
      return { user: NOOR, tokens: TOKENS };
    };
    expect((await gateway.fetch(path, { method: 'POST', json, headers: { 'user-agent': 'Lamp 1' } })).ok).toBe(true);
    expect(asked).toMatchObject({ ...json, device: { address: '127.0.0.1', userAgent: 'Lamp 1' } });
  });

  it('asks who has a second factor for a code', async () => {
    const challenge = { token: 'c', expiresIn: 300 };
    gateway.services.answers.identity.login = () => ({ user: undefined, tokens: undefined, challenge });
    const response = await gateway.fetch('/v1/auth/login', { method: 'POST', json: login });
    expect([response.status, await response.json()]).toEqual([202, { challenge }]);
  });

  it('sends the browser to the identity provider, and takes what it comes back with', async () => {
    const begun = { authorizationUrl: 'https://id.example/auth?state=s', verifier: 'v', expiresIn: 600 };
    let from: object | undefined;
    gateway.services.answers.providerLogin.beginProviderLogin = ({ device }) => {
      from = device;
      return begun;
    };
    const started = await gateway.fetch('/v1/auth/oidc/start', { method: 'POST', headers: { 'user-agent': 'Lamp 1' } });
    expect([started.status, await started.json(), from]).toEqual([
      200,
      begun,
      { address: '127.0.0.1', userAgent: 'Lamp 1' },
    ]);
    let asked: object = {};
    gateway.services.answers.providerLogin.completeProviderLogin = (request) => {
      asked = request;
      return { user: NOOR, tokens: TOKENS };
    };
    const json = { code: 'c', state: 's', iss: 'https://id.example', verifier: 'v' };
    const back = await gateway.fetch('/v1/auth/oidc/callback', { method: 'POST', json });
    expect([back.status, await back.json()]).toEqual([200, { ...TOKENS, user: NOOR_VIEW }]);
    expect(asked).toMatchObject({ code: 'c', state: 's', issuer: 'https://id.example', verifier: 'v' });
  });

  it('shows an account whose address went to another one', async () => {
    const user = { ...NOOR, email: '', emailVerified: false };
    gateway.services.answers.identity.getUser = () => ({ user });
    expect(await (await send('GET', '/v1/me')).json()).toEqual({ ...NOOR_VIEW, email: null, emailVerified: false });
  });

  it('refuses wrong credentials and broken tokens with 401', async () => {
    gateway.services.answers.identity.login = () => {
      throw new DomainError({ kind: 'unauthenticated', reason: 'WRONG_CREDENTIALS', message: 'No.' });
    };
    const wrong = await gateway.fetch('/v1/auth/login', { method: 'POST', json: login });
    expect(wrong.status).toBe(401);
    expect(await problem(wrong)).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    const broken = await gateway.fetch('/v1/me', { token: 'not.valid.atall' });
    expect(broken.status).toBe(401);
    expect(broken.headers.get('www-authenticate')).toBe('Bearer');
    expect(await problem(broken)).toMatchObject({ reason: 'TOKEN_INVALID' });
  });

  it('says how long who guesses has to wait', async () => {
    gateway.services.answers.identity.login = () => {
      const metadata = { retry_after: '30' };
      throw new DomainError({ kind: 'exhausted', reason: 'TOO_MANY_ATTEMPTS', message: 'Wait.', metadata });
    };
    const response = await gateway.fetch('/v1/auth/login', { method: 'POST', json: login });
    expect(response.status).toBe(429);
    expect(response.headers.get('retry-after')).toBe('30');
    const answer = await problem(response);
    expect(answer).toMatchObject({ reason: 'TOO_MANY_ATTEMPTS', retryAfter: 30 });
    expect(answer).not.toHaveProperty('retry_after');
  });

  it('publishes the signing keys', async () => {
    const response = await gateway.fetch('/.well-known/jwks.json');
    expect(response.headers.get('cache-control')).toBe('public, max-age=60');
    expect(await response.json()).toMatchObject({ keys: [{ kid: 'test-key', kty: 'OKP' }] });
  });
});

// Each route with what identity is asked for and what comes back.
it.each([
  ['POST', '/v1/auth/password-reset', 'identity', 'requestPasswordReset', { email: 'noor@example.com' }, {}, 202, ''],
  ['POST', '/v1/auth/password-reset/confirm', 'identity', 'resetPassword', { token: 't', password: 'p' }, {}, 204, ''],
  ['PATCH', '/v1/me', 'account', 'updateProfile', { name: 'Noor' }, { user: NOOR }, 200, NOOR_VIEW],
  ['DELETE', '/v1/me', 'account', 'deleteAccount', { password: 'p', code: '' }, {}, 204, ''],
  ['PUT', '/v1/me/password', 'account', 'changePassword', { password: 'p', newPassword: 'q' }, {}, 204, ''],
  ['POST', '/v1/me/email-verification', 'account', 'requestEmailVerification', undefined, {}, 202, ''],
  [
    'POST',
    '/v1/me/email-verification/confirm',
    'account',
    'verifyEmail',
    { token: 't' },
    { user: NOOR },
    200,
    NOOR_VIEW,
  ],
  [
    'POST',
    '/v1/me/email-change',
    'account',
    'requestEmailChange',
    { email: 'a@example.com', password: 'p', code: '287082' },
    {},
    202,
    '',
  ],
  [
    'POST',
    '/v1/me/email-change/confirm',
    'account',
    'confirmEmailChange',
    { token: 't' },
    { user: NOOR },
    200,
    NOOR_VIEW,
  ],
  ['POST', '/v1/me/orders/claim', 'orders', 'claimOrders', undefined, { count: 2 }, 200, { claimed: 2 }],
  [
    'POST',
    '/v1/me/sessions/revoke-others',
    'sessions',
    'revokeOtherSessions',
    undefined,
    { count: 2 },
    200,
    { ended: 2 },
  ],
  [
    'GET',
    '/v1/me/second-factor',
    'secondFactor',
    'getSecondFactor',
    undefined,
    { enabled: true, required: false, recoveryCodesLeft: 9, confirmTime: NOON },
    200,
    { enabled: true, required: false, recoveryCodesLeft: 9, confirmedAt: NOON.toISOString() },
  ],
  [
    'POST',
    '/v1/me/second-factor',
    'secondFactor',
    'beginSecondFactor',
    { password: 'p' },
    { secret: 's', uri: 'otpauth://totp/x' },
    201,
    { secret: 's', uri: 'otpauth://totp/x' },
  ],
  [
    'POST',
    '/v1/me/second-factor/confirm',
    'secondFactor',
    'confirmSecondFactor',
    { code: '287082' },
    { recoveryCodes: ['a'] },
    200,
    { recoveryCodes: ['a'] },
  ],
  [
    'POST',
    '/v1/me/second-factor/recovery-codes',
    'secondFactor',
    'renewRecoveryCodes',
    { password: 'p', code: '287082' },
    { recoveryCodes: ['a'] },
    200,
    { recoveryCodes: ['a'] },
  ],
  [
    'DELETE',
    '/v1/me/second-factor',
    'secondFactor',
    'removeSecondFactor',
    { password: 'p', code: '287082' },
    {},
    204,
    '',
  ],
] as const)('%s %s', async (method, path, service, rpc, json, answer, status, view) => {
  let asked: unknown;
  const answers = gateway.services.answers[service] as Record<string, (request: unknown) => object>;
  answers[rpc] = (request) => {
    asked = request;
    return answer;
  };
  const response = await send(method, path, json);
  expect(response.status).toBe(status);
  const text = await response.text();
  expect(text === '' ? text : JSON.parse(text)).toEqual(view);
  expect(asked).toEqual(json ?? {});
  expect(response.headers.get('cache-control')).toBe('no-store');
  if (path.startsWith('/v1/me')) {
    expect(await problem(await gateway.fetch(path, { method, ...(json && { json }) }))).toMatchObject({ status: 401 });
  }
});

it.each([
  ['LINK_INVALID', 'refused', 409, 'POST', '/v1/me/email-verification/confirm', 'verifyEmail', { token: 't' }],
  ['WRONG_PASSWORD', 'forbidden', 403, 'DELETE', '/v1/me', 'deleteAccount', { password: 'p', code: '' }],
  ['LAST_ADMIN', 'refused', 409, 'DELETE', '/v1/me', 'deleteAccount', { password: 'p', code: '' }],
] as const)('answers %s, which is %s, with %i', async (reason, kind, status, method, path, rpc, json) => {
  gateway.services.answers.account[rpc] = () => {
    throw new DomainError({ kind, reason, message: 'No.' });
  };
  const response = await send(method, path, json);
  expect(response.status).toBe(status);
  expect(await problem(response)).toMatchObject({ reason });
});

it('lets who must set up a second factor do that and nothing else', async () => {
  const enabled = { enabled: false, required: true, recoveryCodesLeft: 0 };
  gateway.services.answers.secondFactor.getSecondFactor = () => enabled;
  const token = gateway.enrolling;
  expect((await gateway.fetch('/v1/me/second-factor', { token })).status).toBe(200);
  for (const [method, path] of [
    ['GET', '/v1/me'],
    ['GET', '/v1/orders'],
    ['DELETE', '/v1/me/second-factor'],
    ['DELETE', '/v1/products/lantern'],
  ]) {
    const response = await gateway.fetch(path!, { method: method!, token });
    expect([response.status, (await problem(response))['reason']]).toEqual([403, 'SECOND_FACTOR_REQUIRED']);
  }
});

it('lets whoever may take the second factor of somebody else off', async () => {
  const token = await gateway.identity.tokenFor({ userId: ENTRY_ID, permissions: ['users:write'] });
  let asked: object = {};
  gateway.services.answers.users.resetSecondFactor = (request) => {
    asked = request;
    return { removed: true };
  };
  const reset = (bearer: string) =>
    gateway.fetch(`/v1/users/${USER_ID}/second-factor`, { method: 'DELETE', token: bearer });
  expect((await reset(token)).status).toBe(204);
  expect(asked).toEqual({ userId: USER_ID });
  expect((await reset(gateway.customer)).status).toBe(403);
});

it('names what is wrong with a new password as the request does', async () => {
  gateway.services.answers.account.changePassword = () => {
    const violations = [{ field: 'new_password', description: 'is too common' }];
    throw new DomainError({ kind: 'invalid', reason: 'PASSWORD_TOO_WEAK', message: 'No.', violations });
  };
  const response = await send('PUT', '/v1/me/password', { password: 'p', newPassword: 'password' });
  expect(response.status).toBe(400);
  expect(await problem(response)).toMatchObject({
    reason: 'PASSWORD_TOO_WEAK',
    errors: [{ field: 'newPassword', message: 'is too common' }],
  });
});

it('wants a password to delete an account', async () => {
  expect(await problem(await send('DELETE', '/v1/me'))).toMatchObject({ status: 400, errors: [{ field: 'body' }] });
  expect(await problem(await send('DELETE', '/v1/me', {}))).toMatchObject({ errors: [{ field: 'password' }] });
});

describe('the address book', () => {
  const message = { ...ADDRESS, line2: '', region: '' };
  const entry = { addressId: ENTRY_ID, address: message, createTime: NOON };
  const view = { id: ENTRY_ID, address: ADDRESS, createdAt: NOON.toISOString() };

  it('is listed, added to, changed and deleted from', async () => {
    const asked: unknown[] = [];
    const record =
      <T>(answer: T) =>
      (request: unknown) => {
        asked.push(request);
        return answer;
      };
    gateway.services.answers.addressBook = {
      listAddresses: () => ({ addresses: [entry] }),
      addAddress: record({ address: entry }),
      updateAddress: record({ address: entry }),
      deleteAddress: record({}),
    };
    expect(await (await send('GET', '/v1/me/addresses')).json()).toEqual({ items: [view] });
    const added = await send('POST', '/v1/me/addresses', { address: ADDRESS });
    expect(added.status).toBe(201);
    expect(added.headers.get('location')).toBe(`/v1/me/addresses/${ENTRY_ID}`);
    expect(await added.json()).toEqual(view);
    expect((await send('PUT', `/v1/me/addresses/${ENTRY_ID}`, { address: ADDRESS })).status).toBe(200);
    expect((await send('DELETE', `/v1/me/addresses/${ENTRY_ID}`)).status).toBe(204);
    expect(asked).toEqual([{ address: message }, { addressId: ENTRY_ID, address: message }, { addressId: ENTRY_ID }]);
  });

  it('names each wrong field', async () => {
    const response = await send('POST', '/v1/me/addresses', { address: { ...ADDRESS, country: 'Germany', city: '' } });
    const { errors } = await problem(response);
    expect(errors).toEqual([
      expect.objectContaining({ field: 'address.city' }),
      expect.objectContaining({ field: 'address.country' }),
    ]);
  });
});

it('lists where one is logged in, and ends one of the sessions', async () => {
  const session = { sessionId: ENTRY_ID, createTime: NOON, lastUseTime: NOON, expireTime: NOON };
  const device = { address: '192.0.2.7', userAgent: 'Lamp 1' };
  let ended = '';
  gateway.services.answers.sessions = {
    listSessions: () => ({
      sessions: [
        { ...session, device, current: true },
        { ...session, device: { address: '', userAgent: '' }, current: false },
      ],
    }),
    revokeSession: ({ sessionId }) => {
      ended = sessionId;
      return {};
    },
  };
  const noon = NOON.toISOString();
  const view = { id: ENTRY_ID, createdAt: noon, lastUsedAt: noon, expiresAt: noon };
  expect(await (await send('GET', '/v1/me/sessions')).json()).toEqual({
    items: [
      { ...view, ...device, current: true },
      { ...view, current: false },
    ],
  });
  expect((await send('DELETE', `/v1/me/sessions/${ENTRY_ID}`)).status).toBe(204);
  expect(ended).toBe(ENTRY_ID);
  expect((await send('DELETE', '/v1/me/sessions/last')).status).toBe(400);
});
