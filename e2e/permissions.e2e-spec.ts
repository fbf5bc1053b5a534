/**
 * Deny by default, tried out: every route and every RPC of docs/permissions.md by everybody who could come, with real
 * accounts, roles and machine clients, for objects that are a customer's. Each pair is asked for the very answer that the
 * page promises, and afterwards nothing of the customer's has changed (I21).
 */
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { Belongings } from './access/belongings.js';
import { everybody, isLetIn, Registry, type Identity } from './access/identities.js';
import { routesOf, sample, type Document, type RestRoute } from './access/openapi.js';
import { Rpcs } from './access/rpcs.js';
import { PERMISSIONS, ROUTES, RPCS } from './access/table.js';
import { Client, type Problem } from './client.js';

/** What lets somebody at an order of another's. Everything else that has an owner is for its owner alone. */
const OPENS: Readonly<Record<string, string>> = {
  'GET /v1/orders/{id}': 'orders:read',
  'GET /v1/orders/{id}/timeline': 'orders:read',
  'GET /v1/orders/{id}/events': 'orders:read',
  'POST /v1/orders/{id}/cancel': 'orders:write',
};
const OWNED = /^\/v1\/(carts|me\/addresses|me\/sessions)\/\{id\}/;
/** To end what is not there is no failure; that it was not there for them is seen afterwards. */
const SILENT = /^DELETE \/v1\/me\/(addresses|sessions)\//;

let souk: LaunchedSouk;
let registry: Registry;
let rpcs: Rpcs;
let document: Document;
let routes: RestRoute[];
let owner: Identity;
let people: Identity[];
let belongings: Belongings;

beforeAll(async () => {
  souk = await launchSouk({ args: ['--no-sale'], env: { SOUK_AUTH_RATE_LIMIT: '100000' } });
  registry = new Registry(souk);
  rpcs = new Rpcs(souk);
  document = (await new Client(souk).call<Document>('GET', '/openapi.json')).body;
  routes = routesOf(document);
  people = await everybody(registry);
  owner = await registry.customer('customer');
  belongings = await Belongings.make(
    new Client(souk, owner.token),
    new Client(souk, (await registry.theAdmin()).token),
  );
});
afterAll(async () => {
  registry.close();
  rpcs.close();
  await souk.stop();
  souk.remove();
});

interface Pair {
  readonly route: RestRoute;
  readonly who: Identity;
}

const nameOf = ({ method, path }: RestRoute) => `${method} ${path}`;

/** The answer that the page promises: a refusal's status and reason, or `in`. */
function promised({ route, who }: Pair): string {
  const name = nameOf(route);
  if (!isLetIn(route.rules, who, 'gateway'))
    return who.kind === 'guest' ? '401 UNAUTHENTICATED' : '403 PERMISSION_DENIED';
  if (name === 'GET /v1/erasures/{id}') return who.permissions.has('privacy:erase') ? 'in' : '404 ERASURE_NOT_FOUND';
  if (who === owner) return 'in';
  if (OPENS[name]) return who.permissions.has(OPENS[name]) ? 'in' : '404 ORDER_NOT_FOUND';
  if (!OWNED.test(route.path) || SILENT.test(name)) return 'in';
  return route.path.startsWith('/v1/carts') ? '404 CART_NOT_FOUND' : '404 ADDRESS_NOT_FOUND';
}

async function answerTo({ route, who }: Pair): Promise<string> {
  const leaving = new AbortController();
  const body = route.schema && bodyFor(route);
  const response = await fetch(new URL(belongings.addressOf(route.path), souk.url), {
    method: route.method,
    signal: leaving.signal,
    headers: {
      ...(who.token && { authorization: `Bearer ${who.token}` }),
      ...(route.contentType && { 'content-type': route.contentType }),
      'idempotency-key': `${who.name}-${route.path}`.replaceAll(/[^\w-]/g, ''),
    },
    ...(body !== undefined && { body }),
  });
  if (response.headers.get('content-type')?.startsWith('text/event-stream')) {
    leaving.abort();
    return 'in';
  }
  const text = await response.text();
  expect([nameOf(route), who.name, response.status < 500 ? 0 : text]).toEqual([nameOf(route), who.name, 0]);
  if (response.ok) return 'in';
  const { reason } = JSON.parse(text) as Problem;
  const isRefusal = [401, 403, 404].includes(response.status) && REFUSALS.includes(reason);
  // What is there and may be read is read; the order has no refund. Whoever may change things sends samples, which may be refused
  // for what they say.
  const isUnread = route.method === 'GET' && reason !== 'REFUND_NOT_FOUND';
  return isRefusal || isUnread ? `${response.status} ${reason}` : 'in';
}

const REFUSALS = [
  'UNAUTHENTICATED',
  'TOKEN_INVALID',
  'PERMISSION_DENIED',
  'ORDER_NOT_FOUND',
  'CART_NOT_FOUND',
  'ADDRESS_NOT_FOUND',
  'ERASURE_NOT_FOUND',
];

function bodyFor({ contentType, schema = {} }: RestRoute): string {
  if (contentType === 'text/csv') return 'Handle,Title,Variant SKU,Variant Price\nodd,Odd,ODD-1,1.00\n';
  return JSON.stringify(sample(schema, document));
}

async function expectPromises(pairs: readonly Pair[]): Promise<void> {
  const broken: string[] = [];
  const queue = [...pairs];
  const work = async () => {
    for (let pair = queue.shift(); pair; pair = queue.shift()) {
      const [answer, expected] = [await answerTo(pair), promised(pair)];
      if (answer !== expected)
        broken.push(`${nameOf(pair.route)} as ${pair.who.kind} ${pair.who.name}: ${answer}, not ${expected}`);
    }
  };
  await Promise.all([1, 2, 3, 4, 5, 6].map(work));
  expect(broken).toEqual([]);
}

/** Guest, customer, and for each permission of the rule who has it alone and who has all but that. */
function triedOn(rules: readonly string[]): Identity[] {
  const named = rules.filter((rule) => PERMISSIONS.includes(rule));
  const words = (named.length > 0 ? named : PERMISSIONS.slice(0, 1)).map((name) => name.replace(':', '-'));
  const names = ['guest', 'other customer', ...words.flatMap((word) => [`only-${word}`, `all-but-${word}`])];
  return people.filter(({ name }) => names.includes(name));
}

const sorted = <T extends { name: string }>(named: readonly T[]) =>
  named.toSorted((a, b) => (a.name < b.name ? -1 : 1));

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

it('is the page that this Souk keeps to', () => {
  const served = routes.map((route) => ({ name: nameOf(route), rules: route.rules }));
  expect(sorted(served)).toEqual(sorted(ROUTES));
  expect(PERMISSIONS.length).toBeGreaterThan(10);
  expect(RPCS.length).toBeGreaterThan(70);
});

it('refuses over REST everybody whom the page does not let in, and whose object it is not (I21)', async () => {
  const before = await belongings.asSeenByOwner();
  const all = routes.flatMap((route) => people.map((who) => ({ route, who })));
  const pairs = all.filter((pair) => promised(pair) !== 'in' || SILENT.test(nameOf(pair.route)));
  await expectPromises(pairs);
  expect(await belongings.asSeenByOwner()).toEqual(before);
  say(`REST: ${pairs.length} pairs of ${routes.length} routes and ${people.length} others tried, none got in`);
});

it("sells nobody another's cart, and opens no order by another order's token (I21)", async () => {
  const before = await belongings.asSeenByOwner();
  const guest = new Client(souk);
  const { body: own } = await guest.placeOrder({ sku: belongings.sku });
  for (const who of people) {
    const stranger = new Client(souk, who.token);
    expect((await stranger.placeOrder<Problem>({ cartId: belongings.cartId })).body.reason).toBe('CART_NOT_FOUND');
  }
  for (const path of ['', '/timeline', '/events']) {
    const address = `${belongings.addressOf('/v1/orders/{id}')}${path}`;
    const tried = await guest.call<Problem>('GET', address, undefined, { authorization: `Bearer ${own.accessToken}` });
    expect([tried.status, tried.body.reason]).toEqual([404, 'ORDER_NOT_FOUND']);
    expect((await guest.call('GET', `${address}?accessToken=${own.accessToken}`)).status).toBe(404);
  }
  expect((await guest.order(own)).id).toBe(own.id);
  expect(await belongings.asSeenByOwner()).toEqual(before);
});

it('refuses over gRPC every identity by every caller that the page does not name (I21)', async () => {
  const before = await belongings.asSeenByOwner();
  const callers = [
    undefined,
    'gateway',
    'identity',
    'catalog',
    'inventory',
    'orders',
    'payments',
    'notifications',
    'ops',
  ];
  const tries = RPCS.flatMap(({ name, rules }) =>
    rpcs.hostsOf(name).flatMap((host) =>
      callers.flatMap((caller) =>
        triedOn(rules)
          .filter((who) => !isLetIn(rules, who, caller))
          .map((who) => ({ name, rules, host, caller, who })),
      ),
    ),
  );
  const broken: string[] = [];
  const queue = [...tries];
  const work = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { name, rules, host, caller, who } = next;
      const couldLogIn = who.kind === 'guest' && rules.some((rule) => !rule.startsWith('service:'));
      const outcome = await rpcs.outcome(name, host, who, caller);
      const expected = couldLogIn ? 'UNAUTHENTICATED' : 'PERMISSION_DENIED';
      if (outcome !== expected) broken.push(`${name} of ${host} as ${who.kind} ${who.name} by ${caller}: ${outcome}`);
    }
  };
  await Promise.all(Array.from({ length: 16 }, work));
  expect(broken).toEqual([]);
  expect(await belongings.asSeenByOwner()).toEqual(before);
  say(`gRPC: ${tries.length} calls of ${RPCS.length} RPCs tried, none got in`);
});

it('lets in over gRPC whom the page names', async () => {
  const [, customer = owner] = people;
  const programs = people.filter(({ kind, name }) => kind === 'client' && name.startsWith('only-'));
  const broken: string[] = [];
  let count = 0;
  for (const { name, rules } of RPCS) {
    const services = rules.filter((rule) => rule.startsWith('service:')).map((rule) => rule.slice('service:'.length));
    const ways = [
      ...services.map((caller) => ({ who: customer, caller })),
      ...programs.map((who) => ({ who, caller: undefined })),
      ...people.filter(({ kind }) => kind !== 'client').map((who) => ({ who, caller: 'gateway' })),
    ].filter(({ who, caller }) => isLetIn(rules, who, caller));
    const host = rpcs.hostsOf(name)[0]!;
    for (const { who, caller } of ways.slice(0, 4)) {
      const outcome = await rpcs.outcome(name, host, who, caller);
      if (outcome !== 'in') broken.push(`${name} as ${who.kind} ${who.name} by ${caller}: ${outcome}`);
      count += 1;
    }
  }
  expect(broken).toEqual([]);
  say(`gRPC: ${count} calls let in as the page says`);
});

it('lets in over REST whom the page names', async () => {
  const order = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
  // What is in something is ended before it, and the account last.
  const rank = ({ method, path }: RestRoute) => order.indexOf(method) * 1_000 - path.length;
  let count = 0;
  for (const route of routes.toSorted((one, two) => rank(one) - rank(two))) {
    const all = [owner, ...people].map((who) => ({ route, who }));
    const pairs = all
      .filter((pair) => promised(pair) === 'in')
      .slice(0, route.rules.includes('public') ? 3 : undefined);
    await expectPromises(pairs);
    count += pairs.length;
  }
  say(`REST: ${count} pairs let in as the page says`);
});
