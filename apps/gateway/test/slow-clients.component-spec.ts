/** Clients that hold on to connections, over raw sockets. While each of them is at it, another client is served. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { metricsText } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { anOrder, orderBody, ORDER_ID, placed } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

const WAIT_MS = 60_000;
const PATIENT = { timeoutMs: WAIT_MS };
const MOST = 30;

let gateway: RunningGateway;
let sockets: Socket[] = [];
let placedOrders = 0;

beforeAll(async () => {
  gateway = await runGateway({
    SOUK_HEADERS_TIMEOUT_MS: '2000',
    SOUK_BODY_TIMEOUT_MS: '2000',
    SOUK_ANSWER_TIMEOUT_MS: '1000',
    SOUK_KEEP_ALIVE_MS: '300',
    SOUK_MAX_CONNECTIONS_PER_ADDRESS: String(MOST),
  });
});
beforeEach(() => {
  placedOrders = 0;
  gateway.services.answers.orders.placeOrder = () => {
    placedOrders += 1;
    return placed();
  };
});
afterEach(async () => {
  sockets.forEach((socket) => socket.destroy());
  sockets = [];
  await eventually(async () => expect(await openConnections()).toBeLessThan(MOST / 2), PATIENT);
});
afterAll(() => gateway.stop());

function openConnections(): Promise<number> {
  return new Promise((resolve, reject) =>
    gateway.app.getHttpServer().getConnections((error, count) => (error ? reject(error) : resolve(count))),
  );
}

async function open(): Promise<Socket> {
  const { hostname, port } = new URL(gateway.url);
  const socket = connect(Number(port), hostname);
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** All that comes back until the gateway closes the connection. */
function answersOn(socket: Socket): Promise<string> {
  let answer = '';
  socket.on('data', (bytes: Buffer) => (answer += bytes.toString()));
  return new Promise((resolve) => socket.once('close', () => resolve(answer)));
}

async function send(bytes: string): Promise<string> {
  const socket = await open();
  const answers = answersOn(socket);
  socket.write(bytes);
  return answers;
}

function statuses(answers: string): string[] {
  return [...answers.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => String(status));
}

async function othersAreServed(): Promise<void> {
  const startedAt = Date.now();
  expect((await gateway.fetch('/livez')).status).toBe(200);
  const order = await gateway.fetch('/v1/orders', {
    method: 'POST',
    json: orderBody(),
    headers: { 'Idempotency-Key': 'k' },
  });
  expect(order.status).toBe(201);
  expect(Date.now() - startedAt).toBeLessThan(WAIT_MS / 2);
}

async function cuts(outcome: string): Promise<number> {
  const line = new RegExp(`^souk_connections_cut_total{outcome="${outcome}"} (\\d+)`, 'm').exec(await metricsText());
  return Number(line?.[1] ?? 0);
}

describe.each([
  ['says nothing', ''],
  ['sends its headers byte by byte', 'GET /livez HTTP/1.1\r\nHost: souk\r\nX-Slow: '],
])('who %s', (_, start) => {
  it(
    'is cut off, and holds up nobody',
    async () => {
      const slow = await Promise.all(Array.from({ length: 10 }, open));
      const ends = slow.map(answersOn);
      slow.forEach((socket) => socket.write(start));
      const dripping = setInterval(() => slow.forEach((socket) => start && socket.writable && socket.write('a')), 50);
      await othersAreServed();
      const answers = await Promise.all(ends);
      clearInterval(dripping);
      for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 408 [\s\S]*"reason":"REQUEST_TOO_SLOW"/);
    },
    2 * WAIT_MS,
  );
});

it(
  'cuts off bodies that come byte by byte, and serves others meanwhile',
  async () => {
    const head = 'POST /v1/orders HTTP/1.1\r\nHost: souk\r\nContent-Type: application/json\r\nIdempotency-Key: s\r\n';
    const framings = ['Content-Length: 5000\r\n\r\n', 'Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n'];
    const slow = await Promise.all(framings.map(open));
    const ends = slow.map(answersOn);
    slow.forEach((socket, index) => socket.write(head + framings[index]));
    const dripping = setInterval(() => {
      slow.forEach((socket, index) => socket.writable && socket.write(index === 0 ? ' ' : '1\r\n \r\n'));
    }, 50);
    await othersAreServed();
    const answers = await Promise.all(ends);
    clearInterval(dripping);
    for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 408 [\s\S]*"reason":"BODY_TOO_SLOW"/);
  },
  2 * WAIT_MS,
);

it(
  'cuts off who asks for much and reads nothing, and takes no more requests from him meanwhile',
  async () => {
    const before = await cuts('not_read');
    const waiting: number[] = [];
    const listening = once(gateway.app.getHttpServer(), 'connection') as Promise<[Socket]>;
    const socket = await open();
    const [far] = await listening;
    socket.pause();
    const closed = new Promise((resolve) => far.once('close', resolve));
    // More than the buffers of the system between the two take.
    const asking = setInterval(() => {
      if (socket.writable) socket.write('GET /openapi.json HTTP/1.1\r\nHost: souk\r\n\r\n');
      waiting.push(far.writableLength);
    }, 10);
    await othersAreServed();
    await closed;
    clearInterval(asking);
    expect(await cuts('not_read')).toBe(before + 1);
    expect(Math.max(...waiting)).toBeGreaterThan(0);
    expect(Math.max(...waiting)).toBeLessThan(4 * 1024 * 1024);
  },
  2 * WAIT_MS,
);

it(
  'cuts off a reader of events that stalls, and counts its stream no more',
  async () => {
    const before = await cuts('not_read');
    let version = 0;
    const lines = Array.from({ length: 10_000 }, () => anOrder().lines[0]!);
    gateway.services.answers.orders.getOrder = () => ({ order: { ...anOrder(), lines, version: (version += 1) } });
    const socket = await open();
    socket.pause();
    socket.write(`GET /v1/orders/${ORDER_ID}/events?accessToken=t HTTP/1.1\r\nHost: souk\r\n\r\n`);
    await othersAreServed();
    await eventually(async () => expect(await cuts('not_read')).toBe(before + 1), PATIENT);
    // Nobody asks for the order any more.
    await eventually(async () => {
      const asked = version;
      await new Promise((resolve) => setTimeout(resolve, 1_200));
      expect(version).toBe(asked);
    }, PATIENT);
  },
  3 * WAIT_MS,
);

it(
  'closes what nobody uses between requests',
  async () => {
    const socket = await open();
    const answers = answersOn(socket);
    socket.write('GET /livez HTTP/1.1\r\nHost: souk\r\n\r\n');
    expect(statuses(await answers)).toEqual(['200']);
  },
  WAIT_MS,
);

it(
  'bounds the connections of one address, and takes new ones once others are gone',
  async () => {
    const before = await cuts('too_many_of_address');
    await Promise.all(Array.from({ length: MOST }, open));
    const answers = await send('');
    expect(answers === '' || /^HTTP\/1.1 503 [\s\S]*TOO_MANY_CONNECTIONS/.test(answers)).toBe(true);
    expect(await cuts('too_many_of_address')).toBeGreaterThan(before);
    sockets.forEach((socket) => socket.destroy());
    await eventually(othersAreServed, PATIENT);
  },
  2 * WAIT_MS,
);

it(
  'does not count the connections of a trusted proxy as those of one client',
  async () => {
    const behind = await runGateway({ SOUK_MAX_CONNECTIONS_PER_ADDRESS: '2', SOUK_TRUSTED_PROXIES: '127.0.0.0/8' });
    const { hostname, port } = new URL(behind.url);
    const held = Array.from({ length: 10 }, () => connect(Number(port), hostname));
    await Promise.all(held.map((socket) => once(socket, 'connect')));
    expect((await behind.fetch('/livez')).status).toBe(200);
    held.forEach((socket) => socket.destroy());
    await behind.stop();
  },
  WAIT_MS,
);

it(
  'cuts off who sends requests without end and waits for no answer',
  async () => {
    gateway.services.answers.catalog.listCategories = () => new Promise(() => undefined) as never;
    const before = await cuts('too_many_under_way');
    const ends = send('GET /v1/categories HTTP/1.1\r\nHost: souk\r\n\r\n'.repeat(5_000));
    await othersAreServed();
    await ends;
    expect(await cuts('too_many_under_way')).toBeGreaterThan(before);
  },
  WAIT_MS,
);

describe('what is too large is refused:', () => {
  it.each([
    ['an address', `GET /v1/products?query=${'a'.repeat(9_000)} HTTP/1.1\r\nHost: souk\r\n`, 414, 'ADDRESS_TOO_LONG'],
    [
      'an address beyond all headers',
      `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: souk\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
    ['a header', `GET /livez HTTP/1.1\r\nHost: souk\r\nX: ${'a'.repeat(20_000)}\r\n`, 431, 'HEADERS_TOO_LARGE'],
    ['many headers', `GET /livez HTTP/1.1\r\nHost: souk\r\n${'X: a\r\n'.repeat(150)}`, 431, 'HEADERS_TOO_LARGE'],
  ])('%s', async (_, head, status, reason) => {
    const answers = await send(`${head}Connection: close\r\n\r\n`);
    expect(statuses(answers)).toEqual([String(status)]);
    expect(answers).toContain(`"reason":"${reason}"`);
  });
});

describe('a request inside of another is not taken for one:', () => {
  const inner = `POST /v1/orders HTTP/1.1\r\nHost: souk\r\nContent-Type: application/json\r\nIdempotency-Key: smuggled\r\nContent-Length: ${JSON.stringify(orderBody()).length}\r\n\r\n${JSON.stringify(orderBody())}`;
  const post = 'POST /v1/auth/login HTTP/1.1\r\nHost: souk\r\nContent-Type: application/json\r\n';
  it.each([
    ['two lengths', `${post}Content-Length: 4\r\nContent-Length: ${inner.length}\r\n\r\n${inner}`],
    ['two lengths in one', `${post}Content-Length: 4, ${inner.length}\r\n\r\n${inner}`],
    [
      'a length and chunks',
      `${post}Content-Length: ${inner.length + 5}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${inner}`,
    ],
    ['chunks and a length', `${post}Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n${inner}`],
    ['chunks by another name', `${post}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${inner}`],
    ['chunks that are not last', `${post}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${inner}`],
    ['a space before the colon', `${post}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${inner}`],
    ['a folded header', `${post}X: a\r\n Transfer-Encoding: chunked\r\nContent-Length : 0\r\n\r\n${inner}`],
    ['a length below zero', `${post}Content-Length: -1\r\n\r\n${inner}`],
    ['a length with a sign', `${post}Content-Length: +0\r\n\r\n${inner}`],
    ['a chunk whose length overflows', `${post}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n${inner}`],
    ['lines without returns', `${post.replaceAll('\r', '')}Transfer-Encoding: chunked\n\n0\n\n${inner}`],
  ])(
    '%s',
    async (_, bytes) => {
      const got = statuses(await send(bytes));
      expect(placedOrders).toBe(0);
      expect(got.every((status) => status.startsWith('4'))).toBe(true);
      await othersAreServed();
    },
    WAIT_MS,
  );
});
