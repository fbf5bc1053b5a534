/**
 * What attackers send: every route of the OpenAPI document, by somebody who may do everything, with what nobody should be
 * sent. No answer is a failure of the server's or tells of its insides, and nothing succeeds that must not. Then tokens that
 * were made up, swapped and used twice.
 */
import { randomUUID } from 'node:crypto';
import { forgedTokens } from '@souk/auth/testing';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { PASSWORD } from './access/identities.js';
import { fill, routesOf, sample, type Document, type RestRoute } from './access/openapi.js';
import { Client, type Problem } from './client.js';

const TEXTS = [
  "'; DROP TABLE orders; --",
  "' OR '1'='1",
  '1 UNION ALL TABLE users',
  '$(reboot)`reboot`',
  '../../../../etc/passwd',
  '<script>alert(1)</script>',
  '{{7*7}}${7*7}',
  'a\r\nX-Injected: yes\r\n\r\n',
  'nul\u0000byte',
  '\ud800 alone',
  '\u202e\u0301'.repeat(50),
  'x'.repeat(70_000),
  '__proto__',
];
const NUMBERS = [1e308, -1, Number.MAX_SAFE_INTEGER + 2, 0.1, -0, 2 ** 31];
const INSIDES = /\n\s+at |node_modules|\.(ts|js):\d+|SELECT |syntax error at|ECONNREFUSED|grpc|postgres/i;
const MIB = 1024 * 1024;

let souk: LaunchedSouk;
let document: Document;
let routes: RestRoute[];
let token: string;

interface Session {
  readonly accessToken: string;
  readonly refreshToken: string;
}

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'], env: { SOUK_AUTH_RATE_LIMIT: '100000' } });
  const shop = new Client(souk);
  document = (await shop.call<Document>('GET', '/openapi.json')).body;
  routes = routesOf(document).filter(({ path }) => path.startsWith('/v1/') && !path.endsWith('/events'));
  const credentials = { email: 'admin@souk.local', password: souk.secrets.adminPassword };
  token = (await shop.call<Session>('POST', '/v1/auth/login', credentials)).body.accessToken;
});
afterAll(async () => {
  await souk.stop();
  souk.remove();
});

interface Try {
  readonly route: RestRoute;
  readonly what: string;
  readonly address?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Whether success would be a failure. */
  readonly mustFail: boolean;
}

const plain = ({ path }: RestRoute) => fill(path, () => randomUUID());

/**
 * The gateway answers a body that is too long, and hangs up. Where that comes before the last of it is written, `fetch`
 * fails without reading the answer; so it is sent again until the answer was read.
 */
async function answerTo(url: URL, request: RequestInit): Promise<Response> {
  for (let left = 5; ; left--) {
    try {
      return await fetch(url, request);
    } catch (error) {
      const { code } = ((error as Error).cause ?? {}) as { code?: string };
      if (left === 0 || (code !== 'EPIPE' && code !== 'ECONNRESET')) throw error;
    }
  }
}

async function problemOf({ route, what, address, headers, body, mustFail }: Try): Promise<string[]> {
  const response = await answerTo(new URL(address ?? plain(route), souk.url), {
    method: route.method,
    headers: {
      authorization: `Bearer ${token}`,
      'idempotency-key': randomUUID(),
      ...(body !== undefined && { 'content-type': route.contentType ?? 'application/json' }),
      ...headers,
    },
    ...(body !== undefined && { body }),
  });
  const text = await response.text();
  const named = `${route.method} ${route.path}, ${what}: ${response.status} ${text.slice(0, 200)}`;
  if (response.status >= 500 || (!response.ok && INSIDES.test(text))) return [named];
  if (response.headers.has('x-injected')) return [`${named} (a header was injected)`];
  const isProblem = response.ok || response.status === 304 || text.includes('"reason"');
  return isProblem && !(response.ok && mustFail) ? [] : [named];
}

async function expectNoProblems(name: string, tries: readonly Try[]): Promise<void> {
  const queue = [...tries];
  const problems: string[] = [];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) problems.push(...(await problemOf(next)));
  };
  await Promise.all(Array.from({ length: 8 }, work));
  expect(problems).toEqual([]);
  process.stdout.write(`${name}: ${tries.length} tried, none did harm\n`);
}

const withJson = () =>
  routes.filter(({ contentType, path }) => contentType === 'application/json' && !path.includes('webhooks'));

it('takes no body that is none', async () => {
  const deep = (open: string, close: string) => `${open.repeat(20_000)}1${close.repeat(20_000)}`;
  const bodies: Record<string, string | Uint8Array<ArrayBuffer>> = {
    'cut off': '{"name": "a',
    'no JSON': 'name=a',
    'a list': '[1]',
    'a number': '1',
    'nested lists': deep('[', ']'),
    'nested objects': deep('{"a":', '}'),
    'bytes that are no text': new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0xc3, 0x28, 0x7d]),
    'a property of every object': '{"__proto__": {"isAdmin": true}, "roles": ["admin"]}',
    'the maker of every object': '{"constructor": {"prototype": {"isAdmin": true}}}',
    'too much': `{"name": "${'x'.repeat(2 * MIB)}"}`,
    'unknown fields': '{"isAdmin": true, "customerId": "x"}',
  };
  const tries = withJson().flatMap((route) =>
    Object.entries(bodies).map(([what, body]): Try => ({ route, what, body, mustFail: true })),
  );
  await expectNoProblems('Bodies', tries);
});

it('takes no body of another type', async () => {
  const types = [
    'text/plain',
    'application/xml',
    'multipart/form-data; boundary=x',
    'application/x-www-form-urlencoded',
    'a/b;;=',
    '',
  ];
  const tries = withJson().flatMap((route) =>
    types.map((type): Try => {
      const body = JSON.stringify(sample(route.schema ?? {}, document));
      return { route, what: type, body, headers: { 'content-type': type }, mustFail: type !== '' };
    }),
  );
  await expectNoProblems('Types', tries);
});

it('takes texts and numbers for nothing but texts and numbers', async () => {
  const leaves = [
    ...TEXTS.map((text) => ({
      what: text.slice(0, 30),
      leaf: (kind: string) => (kind === 'string' ? text : undefined),
    })),
    ...NUMBERS.map((number) => ({
      what: String(number),
      leaf: (kind: string) => (kind === 'integer' ? number : undefined),
    })),
  ];
  const tries = withJson().flatMap((route) =>
    leaves.map(({ what, leaf }): Try => {
      const body = JSON.stringify(sample(route.schema ?? {}, document, leaf));
      return { route, what, body, mustFail: false };
    }),
  );
  await expectNoProblems('Fields', tries);
});

it('takes what stands in paths, queries and headers for nothing else', async () => {
  const inPaths = routes
    .filter(({ path }) => path.includes('{'))
    .flatMap((route) =>
      TEXTS.map((text): Try => ({
        route,
        what: `path ${text.slice(0, 30)}`,
        address: fill(route.path, () => text.toWellFormed().slice(0, 3_000)),
        mustFail: false,
      })),
    );
  const rawPaths = routes
    .filter(({ path }) => path.includes('{'))
    .flatMap((route) =>
      ['%00', '%ff%fe', '%', '..%2f..%2f', '%2e%2e'].map((raw): Try => ({
        route,
        what: `path ${raw}`,
        address: route.path.replace(/\{\w+\}/g, raw),
        mustFail: false,
      })),
    );
  const inQueries = routes.flatMap((route) =>
    route.queries.flatMap((name) =>
      TEXTS.map((text): Try => {
        const query = new URLSearchParams([
          [name, text.slice(0, 3_000)],
          ['__proto__[a]', 'b'],
        ]);
        return {
          route,
          what: `query ${name} ${text.slice(0, 30)}`,
          address: `${plain(route)}?${query.toString()}`,
          mustFail: false,
        };
      }),
    ),
  );
  const headers = {
    'x-request-id': 'a b<script>',
    'if-match': "' OR 1=1",
    'if-none-match': 'x'.repeat(5_000),
    traceparent: '00-zz',
    'idempotency-key': "'; --",
  };
  const inHeaders = routes.flatMap((route) =>
    Object.entries(headers).map(([name, value]): Try => ({
      route,
      what: `header ${name}`,
      headers: { [name]: value },
      mustFail: false,
    })),
  );
  await expectNoProblems('Paths, queries and headers', [...inPaths, ...rawPaths, ...inQueries, ...inHeaders]);
});

it('believes no token that was made up', async () => {
  const shop = new Client(souk);
  const { body: keySet } = await shop.call<{ keys: { kid: string; x: string }[] }>('GET', '/.well-known/jwks.json');
  const [key] = keySet.keys;
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const [head, payload, signature = ''] = token.split('.');
  const bad = {
    ...(await forgedTokens(claims, key?.kid ?? '', [String(key?.x), JSON.stringify(key)])),
    'is cut off': token.slice(0, -8),
    'has other claims': `${head}.${Buffer.from(JSON.stringify({ ...claims, exp: 9e9 })).toString('base64url')}.${signature}`,
    'has no signature': `${head}.${payload}.${'A'.repeat(signature.length)}`,
  };
  const guarded = routes.filter(({ rules }) => !rules.includes('public'));
  for (const route of guarded) {
    for (const [what, made] of Object.entries(bad)) {
      const headers = { authorization: `Bearer ${made}` };
      const { status, body } = await shop.call<Problem>(route.method, plain(route), undefined, headers);
      expect([route.path, what, status, body.reason]).toEqual([route.path, what, 401, 'TOKEN_INVALID']);
    }
  }
  process.stdout.write(`Tokens: ${guarded.length * Object.keys(bad).length} tried, none was believed\n`);
});

it('takes neither kind of token for the other, and no refresh token twice', async () => {
  const shop = new Client(souk);
  const person = { email: `${randomUUID()}@example.com`, password: PASSWORD, name: 'Grace' };
  const { body: session } = await shop.call<Session>('POST', '/v1/auth/register', person);
  const refresh = (refreshToken: string) => shop.call<Session & Problem>('POST', '/v1/auth/refresh', { refreshToken });
  expect((await refresh(session.accessToken)).status).toBe(401);
  expect((await new Client(souk, session.refreshToken).call('GET', '/v1/me')).status).toBe(401);
  const { body: next } = await refresh(session.refreshToken);
  expect((await new Client(souk, next.accessToken).call('GET', '/v1/me')).status).toBe(200);
  await refresh(next.refreshToken);
  // Long used: whoever shows it again may have stolen it, and the whole session ends.
  expect((await refresh(session.refreshToken)).body.reason).toBe('SESSION_ENDED');
});
