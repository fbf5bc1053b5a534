/** Rate limits over HTTP, shared by several real gateways over one NATS. */
import { Broadcast } from '@souk/events';
import { metricsText } from '@souk/telemetry';
import { eventually, tcpProxy, testNats, type TcpProxy, type TestNats } from '@souk/testing';
import { runGateway, type RunningGateway } from './running-gateway.js';

const WAIT_MS = 60_000;
const REPLICAS = 3;
const LIMIT = 240;

let nats: TestNats;
let wire: TcpProxy;
let gateways: RunningGateway[];

beforeAll(async () => {
  nats = await testNats();
  wire = await tcpProxy(nats.url);
  const env = {
    NATS_URL: wire.url,
    NATS_PREFIX: nats.prefix,
    SOUK_TRUSTED_PROXIES: '127.0.0.1',
    SOUK_AUTH_RATE_LIMIT: String(LIMIT),
    SOUK_ACCOUNT_RATE_LIMIT: '5',
  };
  gateways = await Promise.all(Array.from({ length: REPLICAS }, () => runGateway(env)));
  await know(REPLICAS);
}, WAIT_MS);
afterAll(async () => {
  await Promise.all(gateways.map((gateway) => gateway.stop()));
  await wire.close();
  await nats.close();
});

/** The gauge is that of the process, which all three write: they must agree, over several of their beats. */
async function know(count: number): Promise<void> {
  await eventually(
    async () => {
      for (let look = 0; look < 5; look++) {
        const text = await metricsText();
        expect(Number(/^souk_gateway_replicas (\d+)/m.exec(text)?.[1])).toBe(count);
        await new Promise((resolve) => setTimeout(resolve, 60));
      }
    },
    { timeoutMs: WAIT_MS },
  );
}

function attempt(gateway: RunningGateway, address: string): Promise<Response> {
  return gateway.fetch('/v1/auth/login', { method: 'POST', json: {}, headers: { 'x-forwarded-for': address } });
}

/** Logs in as fast as it goes at all gateways at once. @returns how many attempts were let in */
async function storm(addressOf: (index: number) => string, perGateway: number): Promise<number> {
  let admitted = 0;
  const callers = gateways.flatMap((gateway) =>
    Array.from({ length: 4 }, async () => {
      for (let index = 0; index < perGateway / 4; index++) {
        const { status } = await attempt(gateway, addressOf(index));
        if (status !== 429) admitted += 1;
      }
    }),
  );
  await Promise.all(callers);
  return admitted;
}

/** So that no test meets the end of a minute, at which what was counted begins to weigh less. */
async function startOfMinute(needMs: number): Promise<void> {
  const left = 60_000 - (Date.now() % 60_000);
  if (left < needMs) await new Promise((resolve) => setTimeout(resolve, left));
}

it(
  'lets one address in no more often than one gateway would, whichever gateways it asks at once',
  async () => {
    await startOfMinute(15_000);
    const admitted = await storm(() => '192.0.2.1', 2 * LIMIT);
    // One each, one hundredth each, and what a busy machine hears late.
    expect(admitted).toBeLessThanOrEqual(LIMIT * 1.2);
    expect(admitted).toBeGreaterThanOrEqual(LIMIT * 0.8);
    const refused = await attempt(gateways[0]!, '192.0.2.1');
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
    expect((await attempt(gateways[0]!, '192.0.2.2')).status).toBe(400);
  },
  2 * WAIT_MS,
);

it(
  'counts all addresses of one home as one, under IPv6',
  async () => {
    await startOfMinute(15_000);
    const admitted = await storm((index) => `2001:db8:0:1::${index.toString(16)}`, 2 * LIMIT);
    expect(admitted).toBeLessThanOrEqual(LIMIT * 1.2);
    expect((await attempt(gateways[0]!, '2001:db8:0:2::1')).status).toBe(400);
  },
  2 * WAIT_MS,
);

it(
  'keeps each gateway to its part while NATS is away, and shares again once it is back (F81)',
  async () => {
    await wire.cut();
    await eventually(() => expect(gateways.some(({ app }) => app.get(Broadcast).connected)).toBe(false), {
      timeoutMs: WAIT_MS,
    });
    await startOfMinute(30_000);
    const apart = await storm(() => '192.0.2.3', LIMIT);
    expect(apart).toBe(LIMIT);
    await wire.mend();
    await eventually(() => expect(gateways.every(({ app }) => app.get(Broadcast).connected)).toBe(true), {
      timeoutMs: WAIT_MS,
    });
    await know(REPLICAS);
    expect(await storm(() => '192.0.2.4', 2 * LIMIT)).toBeLessThanOrEqual(LIMIT * 1.2);
  },
  3 * WAIT_MS,
);

it(
  'limits an account wherever it comes from, and says so in the headers',
  async () => {
    await startOfMinute(10_000);
    const [gateway] = gateways as [RunningGateway];
    const token = await gateway.identity.tokenFor({ userId: '0190a5d0-0000-7000-8000-00000000aaaa' });
    const ask = (from: number) =>
      gateway.fetch('/v1/me/sessions', { token, headers: { 'x-forwarded-for': `198.51.100.${from}` } });
    const first = await ask(0);
    expect(first.headers.get('ratelimit-policy')).toBe('"address";q=200000;w=60, "account";q=5;w=60');
    expect(first.headers.get('ratelimit')).toMatch(/^"address";r=199999;t=\d+, "account";r=4;t=\d+$/);
    expect(first.headers.get('ratelimit-limit')).toBe('5');
    expect(first.headers.get('ratelimit-remaining')).toBe('4');
    const answers = await Promise.all([1, 2, 3, 4, 5, 6].map(ask));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(2);
    expect(await refused[0]!.json()).toMatchObject({ reason: 'RATE_LIMITED', limit: 'account' });
    const other = await gateway.identity.tokenFor({ userId: '0190a5d0-0000-7000-8000-00000000bbbb' });
    expect((await gateway.fetch('/v1/me/sessions', { token: other })).status).not.toBe(429);
  },
  WAIT_MS,
);
