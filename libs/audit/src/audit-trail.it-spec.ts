import { setTimeout as sleep } from 'node:timers/promises';
import { Allow, Privileged, TokenVerifier } from '@souk/auth';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { DomainError } from '@souk/errors';
import { Database, sql } from '@souk/postgres';
import { IdentityServiceService, type LoginRequest } from '@souk/proto/identity/v1';
import { OrdersServiceService, type CancelOrderRequest, type FulfillOrderRequest } from '@souk/proto/orders/v1';
import { rpcClient, RpcController, RpcServer, type CallRecord } from '@souk/rpc';
import { callContext, createLogger, runInContext, type CallContext } from '@souk/telemetry';
import { eventually, testDatabase, type TestDatabase } from '@souk/testing';
import { AuditTrail } from './audit-trail.js';
import type { AuditRow } from './audit.store.js';
import { verifyChain } from './verify-chain.js';

const { fulfillOrder, cancelOrder, getOrder } = OrdersServiceService;
const Some = { fulfillOrder, cancelOrder, getOrder } as const;
const OneOfIdentity = { login: IdentityServiceService.login } as const;
const TOKEN = 'a-service-token-for-tests';
const ORDER = '0190a5c2-0000-7000-8000-000000000001';
const FULFIL: FulfillOrderRequest = { orderId: ORDER, tracking: '', requestId: '' };
const CANCEL: CancelOrderRequest = { orderId: ORDER, accessToken: 'ot_secret', requestId: '' };
const LOCK = sql('test.lock', 'SELECT seq FROM audit_head FOR UPDATE');

let identity: TestIdentity;
let postgres: TestDatabase;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  identity = await testIdentity();
});
beforeEach(async () => {
  postgres = await testDatabase({ migrations: 'libs/audit/test/migrations' });
});
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
  await postgres.drop();
});

function trailOf(countMs = 60_000, database = postgres.database): AuditTrail {
  const trail = new AuditTrail({ service: 'orders', database, logger: createLogger('test'), countMs });
  trail.onApplicationBootstrap();
  ends.push(() => trail.onModuleDestroy());
  return trail;
}

type Work = () => Promise<unknown>;
const nothing: Work = async () => ({});

/** A service with some RPCs that do what the test says. */
async function serve(trail: AuditTrail, work: Work = nothing) {
  @RpcController(Some)
  class Orders {
    @Allow('orders:write')
    fulfillOrder() {
      return work();
    }

    @Allow('anyone')
    @Privileged('orders:write')
    cancelOrder() {
      return work();
    }

    @Allow('anyone')
    @Privileged('orders:read')
    getOrder() {
      return work();
    }
  }
  @RpcController(OneOfIdentity)
  class Identity {
    @Allow('anyone')
    login() {
      return work();
    }
  }
  const verifier = new TokenVerifier(identity.keys);
  const logger = createLogger('test');
  const server = new RpcServer({ name: 'orders', serviceToken: TOKEN, verifier, logger, recorder: trail });
  server.add(Orders, new Orders());
  server.add(Identity, new Identity());
  const address = `127.0.0.1:${await server.listen('127.0.0.1', 0)}`;
  const options = { address, caller: 'gateway', serviceToken: TOKEN };
  const orders = rpcClient(Some, options);
  const accounts = rpcClient(OneOfIdentity, options);
  const stranger = rpcClient(Some, { ...options, serviceToken: 'not-the-token-of-souk-at-all' });
  ends.push(() => {
    [orders, accounts, stranger].forEach((client) => client.close());
    return server.close(500);
  });
  return { orders, accounts, stranger };
}

function within<T>(context: Partial<CallContext>, work: () => Promise<T>): Promise<T> {
  return runInContext({ ...callContext(), requestId: 'r1', source: '192.0.2.7', ...context }, work);
}

async function records(count: number): Promise<AuditRow[]> {
  const trail = new AuditTrail({ service: 'orders', database: postgres.database, logger: createLogger('test') });
  return eventually(async () => {
    const found = await trail.store.after(0n, 1_000);
    expect(found).toHaveLength(count);
    return found;
  });
}

const staff = () => identity.tokenFor({ userId: 'u1', roles: ['staff'], sessionId: 's1' });

describe('what is recorded', () => {
  it('is privileged work, before it begins and after it, with who, what, which and from where', async () => {
    const { orders } = await serve(trailOf());
    await within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL));
    const [asked, allowed] = await records(2);
    const same = {
      service: 'orders',
      action: 'souk.orders.v1.OrdersService/FulfillOrder',
      principal_kind: 'user',
      principal_id: 'u1',
      roles: 'staff',
      session_id: 's1',
      caller: 'gateway',
      source: '192.0.2.7',
      request_id: 'r1',
      object_type: 'order',
      object_id: ORDER,
      reason: 'orders:write',
      count: 1,
    };
    expect(asked).toMatchObject({ ...same, seq: 1n, outcome: 'asked', previous_hash: '' });
    expect(allowed).toMatchObject({ ...same, seq: 2n, outcome: 'allowed', previous_hash: asked?.hash });
    expect(allowed?.call_id).toBe(asked?.call_id);
  });

  it('is every refusal, and a failure of privileged work', async () => {
    const failing: Work = () =>
      Promise.reject(new DomainError({ kind: 'refused', reason: 'ORDER_NOT_FULFILLABLE', message: 'No.' }));
    const { orders } = await serve(trailOf(), failing);
    await expect(within({}, () => orders.fulfillOrder(FULFIL))).rejects.toThrow();
    await records(1);
    const customer = await identity.tokenFor({ userId: 'u2' });
    await expect(within({ userToken: customer }, () => orders.fulfillOrder(FULFIL))).rejects.toThrow();
    await records(2);
    await expect(within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL))).rejects.toThrow();
    expect(await records(4)).toMatchObject([
      { principal_kind: 'guest', outcome: 'denied', reason: 'UNAUTHENTICATED', object_id: ORDER },
      { principal_id: 'u2', outcome: 'denied', reason: 'PERMISSION_DENIED' },
      { principal_id: 'u1', outcome: 'asked' },
      { principal_id: 'u1', outcome: 'failed', reason: 'ORDER_NOT_FULFILLABLE' },
    ]);
  });

  it("is people's own writes by their outcome alone, and none of their reads", async () => {
    const { orders } = await serve(trailOf());
    const userToken = await identity.tokenFor({ userId: 'u2' });
    await within({ userToken }, () => orders.getOrder({ orderId: ORDER, accessToken: '' }));
    await within({ userToken }, () => orders.cancelOrder(CANCEL));
    expect(await records(1)).toMatchObject([{ principal_id: 'u2', outcome: 'allowed', object_id: ORDER }]);
    const asStaff = await staff();
    await within({ userToken: asStaff }, () => orders.getOrder({ orderId: ORDER, accessToken: '' }));
    expect((await records(3)).slice(1)).toMatchObject([
      { action: 'souk.orders.v1.OrdersService/GetOrder', outcome: 'asked', reason: 'orders:read' },
      { action: 'souk.orders.v1.OrdersService/GetOrder', outcome: 'allowed', reason: 'orders:read' },
    ]);
  });

  it('holds no secret and no e-mail address, and is still found by the address', async () => {
    const trail = trailOf();
    const { accounts, orders } = await serve(trail, () =>
      Promise.reject(new DomainError({ kind: 'unauthenticated', reason: 'WRONG_CREDENTIALS', message: 'No.' })),
    );
    const login: LoginRequest = { email: 'Ada@Example.com', password: 'a brass lantern', device: undefined };
    const userToken = await staff();
    await expect(within({}, () => accounts.login(login))).rejects.toThrow();
    await expect(
      within({ userToken, requestId: 'ada@example.com' }, () => orders.cancelOrder(CANCEL)),
    ).rejects.toThrow();
    const text = JSON.stringify(await records(3), (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    for (const secret of ['@', 'brass', 'ot_secret', TOKEN, userToken]) expect(text).not.toContain(secret);
    const found = await trail.store.list({ objectId: 'ada@example.com', action: 'Login' }, 10);
    expect(found).toMatchObject([{ object_type: 'email', reason: 'WRONG_CREDENTIALS' }]);
  });

  it("takes nobody's word for an address but that of Souk's services", async () => {
    const { stranger } = await serve(trailOf());
    await expect(within({}, () => stranger.fulfillOrder(FULFIL))).rejects.toThrow();
    expect(await records(1)).toMatchObject([{ source: '127.0.0.1', caller: '', outcome: 'denied' }]);
  });
});

describe('privileged work', () => {
  it('is refused where it cannot be recorded first, and not begun', async () => {
    const away = Database.connect({ url: 'postgres://nobody@127.0.0.1:1/none', name: 'away' });
    ends.push(() => away.close());
    let begun = 0;
    const { orders } = await serve(trailOf(60_000, away), async () => ({ begun: (begun += 1) }));
    const call = within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL, { timeoutMs: 20_000 }));
    await expect(call).rejects.toMatchObject({ reason: 'AUDIT_UNAVAILABLE' });
    expect(begun).toBe(0);
  });

  it('leaves its trace before it begins, for whoever asks after the process died in it', async () => {
    const begun = Promise.withResolvers<AuditRow[]>();
    const trail = trailOf();
    const { orders } = await serve(trail, async () => {
      begun.resolve(await trail.store.after(0n, 10));
      return new Promise(() => undefined);
    });
    const call = within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL, { timeoutMs: 500 }));
    call.catch(() => undefined);
    expect(await begun.promise).toMatchObject([{ outcome: 'asked', principal_id: 'u1', object_id: ORDER }]);
    await expect(call).rejects.toThrow();
    // The handler never ends, like that of a process that died.
    expect((await verifyChain(trail.store)).verified).toBe(1n);
  });
});

function callBy(principalId: string): CallRecord {
  const principal = { kind: 'client' as const, clientId: principalId, permissions: [] };
  const action = 'souk.orders.v1.OrdersService/CancelOrder';
  const object = { type: 'order', id: ORDER };
  return {
    callId: crypto.randomUUID(),
    time: new Date(),
    action,
    principal,
    caller: '',
    source: '',
    requestId: '',
    object,
  };
}

describe('the chain', () => {
  it('is one, whoever writes at the same time', async () => {
    const second = Database.connect({ url: postgres.url, name: 'second' });
    ends.push(() => second.close());
    const trails = [trailOf(), trailOf(60_000, second)];
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const trail = trails[index % 2] as AuditTrail;
        await trail.asked(callBy(`c${index}`), 'orders:write');
        trail.settled(callBy(`c${index}`), { outcome: 'allowed', reason: 'orders:write' });
      }),
    );
    await records(400);
    expect(await verifyChain((trails[0] as AuditTrail).store)).toMatchObject({ verified: 400n, head: { seq: 400n } });
  });

  it('has a record once that was handed over twice', async () => {
    const trail = trailOf();
    trail.settled(callBy('c1'), { outcome: 'allowed', reason: '' });
    const [row] = await records(1);
    const { id, call_id: callId } = row as AuditRow;
    const record = { ...callBy('c1'), ...{ id, callId, service: '', principalKind: '', principalId: '', roles: '' } };
    const more = { sessionId: '', objectType: '', objectId: '', outcome: '', reason: '', count: 1 };
    await trail.keep([{ ...record, ...more }]);
    await records(1);
  });

  it('keeps what the database could not take at first', async () => {
    const trail = trailOf();
    const impatient = Database.connect({ url: postgres.url, name: 'impatient', statementTimeoutMs: 100 });
    ends.push(() => impatient.close());
    const hurried = trailOf(60_000, impatient);
    await postgres.database.transaction(async (tx) => {
      await tx.query(LOCK);
      hurried.settled(callBy('c1'), { outcome: 'allowed', reason: '' });
      await sleep(400);
    });
    await records(1);
    expect(await verifyChain(trail.store)).toMatchObject({ verified: 1n });
  });

  it('bounds what a flood of refusals writes, and counts it', async () => {
    const trail = trailOf(1_500);
    const guest = { ...callBy(''), principal: { kind: 'guest' as const } };
    for (let index = 0; index < 5_000; index += 1) {
      trail.settled({ ...guest, source: `198.51.${index % 250}.${index % 20}` }, { outcome: 'denied', reason: 'NO' });
    }
    trail.settled(callBy('c1'), { outcome: 'denied', reason: 'NO' });
    const sum = await eventually(async () => {
      const found = await trail.store.after(0n, 1_000);
      const counted = found.reduce((total, { count }) => total + count, 0);
      expect(counted).toBe(5_001);
      return found;
    });
    expect(sum.length).toBeLessThan(410);
    expect(sum.filter(({ principal_id }) => principal_id === 'c1')).toHaveLength(1);
  });
});

describe('a check of the chain', () => {
  const tampering: [string, string[], string][] = [
    ['changed', [`UPDATE audit_log SET principal_id = 'c9' WHERE seq = 3`], '3 was changed'],
    ['taken out', ['DELETE FROM audit_log WHERE seq = 3'], '3 is missing'],
    ['taken off the end', ['DELETE FROM audit_log WHERE seq = 5'], '5 is missing'],
    [
      'put in',
      [
        `INSERT INTO audit_log SELECT 6, gen_random_uuid(), call_id, time, service, action, principal_kind, principal_id, roles,
           session_id, caller, source, request_id, object_type, object_id, outcome, reason, count, hash, hash
           FROM audit_log WHERE seq = 5`,
      ],
      '6 was put in',
    ],
    [
      'moved',
      [
        'UPDATE audit_log SET seq = 99 WHERE seq = 2',
        'UPDATE audit_log SET seq = 2 WHERE seq = 3',
        'UPDATE audit_log SET seq = 3 WHERE seq = 99',
      ],
      '2 does not follow',
    ],
  ];
  it.each(tampering)('names a record that was %s by who owns the database', async (name, statements, expected) => {
    const trail = trailOf();
    for (let index = 1; index <= 5; index += 1) await trail.asked(callBy(`c${index}`), '');
    expect(await verifyChain(trail.store)).toMatchObject({ verified: 5n });
    const change = sql(`test.tamper_${name}`, statements[0] as string);
    if (name !== 'put in') await expect(postgres.database.query(change)).rejects.toThrow();
    for (const [index, text] of ['ALTER TABLE audit_log DISABLE TRIGGER ALL', ...statements].entries()) {
      await postgres.database.query(sql(`test.tamper_${name}_${index}`, text));
    }
    const { broken } = await verifyChain(trail.store);
    expect(`${broken?.seq} ${broken?.problem}`).toContain(expected);
  });

  it('finds by a published head that all of the chain was written anew', async () => {
    const trail = trailOf();
    await trail.asked(callBy('c1'), '');
    const published = await trail.store.head();
    await postgres.database.query(sql('test.off', 'ALTER TABLE audit_log DISABLE TRIGGER ALL'));
    await postgres.database.query(sql('test.empty', 'DELETE FROM audit_log'));
    await postgres.database.query(sql('test.restart', `UPDATE audit_head SET seq = 0, hash = ''`));
    await trail.asked(callBy('c2'), '');
    expect((await verifyChain(trail.store)).broken).toBeUndefined();
    expect((await verifyChain(trail.store, published)).broken).toMatchObject({ seq: 1n });
  });
});
