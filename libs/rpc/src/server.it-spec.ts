import { setTimeout as sleep } from 'node:timers/promises';
import { Allow, GUEST, TokenVerifier } from '@souk/auth';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { DomainError } from '@souk/errors';
import { NotificationsServiceService, type ListNotificationsRequest } from '@souk/proto/notifications/v1';
import { callContext, createLogger, runInContext, type CallContext } from '@souk/telemetry';
import { currentPrincipal } from './caller.js';
import { rpcClient, type RpcClientOptions } from './client.js';
import { RpcController } from './controller.js';
import { RpcServer } from './server.js';

/** As much of a service as is needed here, however much more of it there will be. */
const OneRpc = { listNotifications: NotificationsServiceService.listNotifications } as const;
const TOKEN = 'a-service-token-for-tests';
const NOTHING = { notifications: [] };
const ANY: ListNotificationsRequest = { orderId: 'any' };

type Answer = (request: ListNotificationsRequest) => Promise<typeof NOTHING>;

let identity: TestIdentity;
const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  identity = await testIdentity();
});
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
});

/** A server whose one RPC does what the test says, and a client of it. */
async function serve(answer: Answer, rule: Parameters<typeof Allow>[0] = 'service:orders') {
  @RpcController(OneRpc)
  class Controller {
    @Allow(rule)
    listNotifications(request: ListNotificationsRequest): Promise<typeof NOTHING> {
      return answer(request);
    }
  }
  const logger = createLogger('test');
  const server = new RpcServer({
    name: 'test',
    serviceToken: TOKEN,
    verifier: new TokenVerifier(identity.keys),
    logger,
  });
  server.add(Controller, new Controller());
  const port = await server.listen('127.0.0.1', 0);
  opened.push({ close: () => server.close(500) });
  return { server, port, client: clientOf(port) };
}

function clientOf(port: number, change: Partial<RpcClientOptions<typeof OneRpc>> = {}) {
  const options = { address: `127.0.0.1:${port}`, caller: 'orders', serviceToken: TOKEN, ...change };
  const client = rpcClient(OneRpc, options);
  opened.unshift(client);
  return client;
}

function within<T>(context: Partial<CallContext>, work: () => Promise<T>): Promise<T> {
  return runInContext({ ...callContext(), ...context }, work);
}

it('passes request id and trace on, and knows who calls', async () => {
  let seen: CallContext | undefined;
  const { client } = await serve(async () => {
    seen = callContext();
    return NOTHING;
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await within({ requestId: 'r1', traceparent }, () => client.listNotifications(ANY));
  expect(seen).toMatchObject({ requestId: 'r1', caller: 'orders' });
  expect(seen?.traceparent).toContain('0af7651916cd43dd8448eb211c80319c');
});

it('does not believe a caller without the secret', async () => {
  const { port, client } = await serve(async () => NOTHING, 'service:orders');
  expect(await client.listNotifications(ANY)).toEqual(NOTHING);
  const impostor = clientOf(port, { serviceToken: 'another-token-for-tests!!' });
  await expect(impostor.listNotifications(ANY)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  const another = clientOf(port, { caller: 'gateway' });
  await expect(another.listNotifications(ANY)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
});

it('verifies the person on whose behalf a call is made', async () => {
  const { port } = await serve(async () => {
    expect(currentPrincipal()).toMatchObject({ userId: 'u1' });
    return NOTHING;
  }, 'orders:read');
  const client = clientOf(port, { caller: 'gateway' });
  const call = (userToken?: string) => within({ userToken }, () => client.listNotifications(ANY));
  await expect(call()).rejects.toMatchObject({ reason: 'UNAUTHENTICATED' });
  await expect(call('rubbish')).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  const customer = await identity.tokenFor({ userId: 'u1' });
  await expect(call(customer)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  expect(await call(await identity.tokenFor({ userId: 'u1', roles: ['staff'] }))).toEqual(NOTHING);
});

it('refuses tokens that nobody may believe, whoever brings them', async () => {
  const { port } = await serve(async () => NOTHING, 'orders:read');
  const bad = Object.entries(await identity.badTokens());
  const clients = [clientOf(port, { caller: 'gateway' }), clientOf(port, { serviceToken: '' })];
  for (const client of clients) {
    for (const [wrong, userToken] of bad) {
      const call = within({ userToken }, () => client.listNotifications(ANY)).catch((error: unknown) => error);
      expect([wrong, await call]).toEqual([wrong, expect.objectContaining({ reason: 'TOKEN_INVALID' })]);
    }
  }
});

it('takes nobody for a person whom another service than the gateway speaks for', async () => {
  const { port } = await serve(async () => NOTHING, 'orders:read');
  const userToken = await identity.tokenFor({ userId: 'u1', roles: ['staff'] });
  for (const caller of ['catalog', 'ops']) {
    const call = within({ userToken }, () => clientOf(port, { caller }).listNotifications(ANY));
    await expect(call).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  }
  const alone = clientOf(port, { serviceToken: '' });
  const asPerson = within({ userToken }, () => alone.listNotifications(ANY));
  await expect(asPerson).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
  const program = await identity.clientToken({ clientId: 'c1', permissions: ['orders:read'] });
  expect(await within({ userToken: program }, () => alone.listNotifications(ANY))).toEqual(NOTHING);
});

it('does not look at the token of a call that is for everybody', async () => {
  const { port } = await serve(async () => {
    expect(currentPrincipal()).toEqual(GUEST);
    return NOTHING;
  }, 'public');
  const alone = clientOf(port, { serviceToken: '' });
  expect(await within({ userToken: 'rubbish' }, () => alone.listNotifications(ANY))).toEqual(NOTHING);
});

it('gives up at the deadline, and passes on what is left of it', async () => {
  let left = 0;
  const { port, client } = await serve(async () => {
    left = (callContext().deadline?.getTime() ?? 0) - Date.now();
    await sleep(200);
    return NOTHING;
  });
  await expect(client.listNotifications(ANY, { timeoutMs: 50 })).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
  expect(left).toBeLessThanOrEqual(50);
  const hurried = within({ deadline: new Date(Date.now() + 50) }, () => clientOf(port).listNotifications(ANY));
  await expect(hurried).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
});

it('tells refusals as they are and bugs not at all', async () => {
  const refusal = new DomainError({ kind: 'refused', reason: 'NO', message: 'No.', metadata: { why: 'so' } });
  const refusing = await serve(() => Promise.reject(refusal));
  await expect(refusing.client.listNotifications(ANY)).rejects.toMatchObject({ reason: 'NO', metadata: { why: 'so' } });
  const broken = await serve(() => Promise.reject(new Error('password=secret')));
  await expect(broken.client.listNotifications(ANY)).rejects.toThrow(/INTERNAL: Internal error/);
});

it('reaches a service that was restarted', async () => {
  const { server, port, client } = await serve(async () => NOTHING);
  await client.listNotifications(ANY);
  await server.close(0);
  const later = sleep(100).then(() => restart(port));
  expect(await client.listNotifications(ANY)).toEqual(NOTHING);
  await later;
});

async function restart(port: number): Promise<void> {
  @RpcController(OneRpc)
  class Controller {
    @Allow('service:orders')
    async listNotifications(): Promise<typeof NOTHING> {
      return NOTHING;
    }
  }
  const logger = createLogger('test');
  const server = new RpcServer({
    name: 'test',
    serviceToken: TOKEN,
    verifier: new TokenVerifier(identity.keys),
    logger,
  });
  server.add(Controller, new Controller());
  await server.listen('127.0.0.1', port);
  opened.push({ close: () => server.close(0) });
}

it('shares its calls among all replicas, and does with one where the other is gone (F77)', async () => {
  const calls = [0, 0];
  const replicas = await Promise.all(
    calls.map((_, replica) =>
      serve(async () => {
        calls[replica] = (calls[replica] ?? 0) + 1;
        return NOTHING;
      }),
    ),
  );
  const address = `ipv4:${replicas.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
  const client = clientOf(0, { address });
  const call = async (times: number) => {
    for (let left = times; left > 0; left--) await client.listNotifications(ANY);
  };
  // The connections come up one after the other.
  for (let tries = 0; Math.min(...calls) === 0 && tries < 100; tries++) await call(1).then(() => sleep(20));
  calls.fill(0);
  await call(20);
  expect(calls).toEqual([10, 10]);
  await replicas[0]?.server.close(0);
  await call(10);
  expect(calls).toEqual([10, 20]);
});

it('refuses what it has no time for, which then goes to another replica, and answers what it took (F79)', async () => {
  const held: (() => void)[] = [];
  const hold = () => new Promise<typeof NOTHING>((resolve) => held.push(() => resolve(NOTHING)));
  const full = await serve(hold, 'public');
  // More than one client may have under way, so that the server's own limit is met.
  const callers = ['one', 'two', 'three'].map((caller) => clientOf(full.port, { caller, timeoutMs: 20_000 }));
  const taken = callers.flatMap((client, index) =>
    Array.from({ length: index === 2 ? 100 : 450 }, () => client.listNotifications(ANY)),
  );
  const settled = Promise.allSettled(taken);
  for (let tries = 0; held.length < 1_000 && tries < 1_000; tries++) await sleep(10);
  expect(held).toHaveLength(1_000);
  const late = clientOf(full.port, { caller: 'gateway' });
  await expect(late.listNotifications(ANY)).rejects.toMatchObject({
    reason: 'OVERLOADED',
    metadata: { retry_after: '1' },
  });
  const free = await serve(async () => NOTHING, 'public');
  const either = clientOf(0, { caller: 'gateway', address: `static:127.0.0.1:${full.port},127.0.0.1:${free.port}` });
  for (let call = 0; call < 10; call++) expect(await either.listNotifications(ANY)).toEqual(NOTHING);
  held.forEach((answer) => answer());
  expect((await settled).filter(({ status }) => status === 'rejected')).toEqual([]);
});

it('finishes what is under way when it closes', async () => {
  const { server, client } = await serve(async () => {
    await sleep(150);
    return NOTHING;
  });
  const call = client.listNotifications(ANY);
  await sleep(50);
  await Promise.all([server.close(2_000), expect(call).resolves.toEqual(NOTHING)]);
});

it('does not start with an RPC that nobody answers or that anybody could call', () => {
  @RpcController(OneRpc)
  class Silent {}
  @RpcController(OneRpc)
  class Unguarded {
    listNotifications(): Promise<typeof NOTHING> {
      return Promise.resolve(NOTHING);
    }
  }
  const logger = createLogger('test');
  const server = new RpcServer({
    name: 'test',
    serviceToken: TOKEN,
    verifier: new TokenVerifier(identity.keys),
    logger,
  });
  expect(() => server.add(Silent, new Silent())).toThrow('does not answer /souk.notifications.v1');
  expect(() => server.add(Unguarded, new Unguarded())).toThrow('declares no access rule');
});
