import { setTimeout as sleep } from 'node:timers/promises';
import { Allow, Privileged, TokenVerifier } from '@souk/auth';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { DomainError } from '@souk/errors';
import { Database, sql } from '@souk/postgres';
import { IdentityServiceService, type LoginRequest } from '@souk/proto/identity/v1';
import { OrdersServiceService, type CancelOrderRequest, type FulfillOrderRequest } from '@souk/proto/orders/v1';
import { rpcClient, RpcController, RpcServer } from '@souk/rpc';
import { callContext, createLogger, metrics, runInContext, type CallContext } from '@souk/telemetry';
import { eventually } from '@souk/testing';
import { auditFixture, callBy, ORDER, type AuditFixture } from '../test/audit-fixture.js';
import { AuditTrail } from './audit-trail.js';
import type { AuditRow } from './audit.store.js';
import { verifyChain } from './verify-chain.js';

const { fulfillOrder, cancelOrder, getOrder } = OrdersServiceService;
const Some = { fulfillOrder, cancelOrder, getOrder } as const;
const OneOfIdentity = { login: IdentityServiceService.login } as const;
const TOKEN = 'a-service-token-for-tests';
const FULFIL: FulfillOrderRequest = { orderId: ORDER, tracking: '', requestId: '' };
const CANCEL: CancelOrderRequest = { orderId: ORDER, accessToken: 'ot_secret', requestId: '' };
const LOCK = sql('test.lock', 'SELECT seq FROM audit_head FOR UPDATE');

let identity: TestIdentity;
let fixture: AuditFixture;

beforeAll(async () => {
  identity = await testIdentity();
});
beforeEach(async () => {
  fixture = await auditFixture();
});
afterEach(() => fixture.close());

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
  fixture.ends.push(() => {
    [orders, accounts, stranger].forEach((client) => client.close());
    return server.close(500);
  });
  return { orders, accounts, stranger };
}

function within<T>(context: Partial<CallContext>, work: () => Promise<T>): Promise<T> {
  return runInContext({ ...callContext(), requestId: 'r1', source: '192.0.2.7', ...context }, work);
}

const staff = () => identity.tokenFor({ userId: 'u1', roles: ['staff'], sessionId: 's1' });

describe('what is recorded', () => {
  it('is privileged work, before it begins and after it, with who, what, which and from where', async () => {
    const { orders } = await serve(fixture.trailOf());
    await within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL));
    const [asked, allowed] = await fixture.records(2);
    expect(asked?.id).toBe(asked?.call_id);
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
    const { orders } = await serve(fixture.trailOf(), failing);
    await expect(within({}, () => orders.fulfillOrder(FULFIL))).rejects.toThrow();
    await fixture.records(1);
    const customer = await identity.tokenFor({ userId: 'u2' });
    await expect(within({ userToken: customer }, () => orders.fulfillOrder(FULFIL))).rejects.toThrow();
    await fixture.records(2);
    await expect(within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL))).rejects.toThrow();
    expect(await fixture.records(4)).toMatchObject([
      { principal_kind: 'guest', outcome: 'denied', reason: 'UNAUTHENTICATED', object_id: ORDER },
      { principal_id: 'u2', outcome: 'denied', reason: 'PERMISSION_DENIED' },
      { principal_id: 'u1', outcome: 'asked' },
      { principal_id: 'u1', outcome: 'failed', reason: 'ORDER_NOT_FULFILLABLE' },
    ]);
    await expect(within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL))).rejects.toThrow();
    const [, , , , asked, again] = await fixture.records(6);
    expect(again).toMatchObject({ call_id: asked?.call_id, outcome: 'failed', count: 1 });
  });

  it("is people's own writes by their outcome alone, and none of their reads", async () => {
    const { orders } = await serve(fixture.trailOf());
    const userToken = await identity.tokenFor({ userId: 'u2' });
    await within({ userToken }, () => orders.getOrder({ orderId: ORDER, accessToken: '' }));
    await within({ userToken }, () => orders.cancelOrder(CANCEL));
    expect(await fixture.records(1)).toMatchObject([{ principal_id: 'u2', outcome: 'allowed', object_id: ORDER }]);
    const asStaff = await staff();
    await within({ userToken: asStaff }, () => orders.getOrder({ orderId: ORDER, accessToken: '' }));
    expect((await fixture.records(3)).slice(1)).toMatchObject([
      { action: 'souk.orders.v1.OrdersService/GetOrder', outcome: 'asked', reason: 'orders:read' },
      { action: 'souk.orders.v1.OrdersService/GetOrder', outcome: 'allowed', reason: 'orders:read' },
    ]);
  });

  it('holds no secret and no e-mail address, and is still found by the address', async () => {
    const trail = fixture.trailOf();
    const { accounts, orders } = await serve(trail, () =>
      Promise.reject(new DomainError({ kind: 'unauthenticated', reason: 'WRONG_CREDENTIALS', message: 'No.' })),
    );
    const login: LoginRequest = { email: 'Ada@Example.com', password: 'a brass lantern', device: undefined };
    const userToken = await staff();
    await expect(within({}, () => accounts.login(login))).rejects.toThrow();
    await expect(
      within({ userToken, requestId: 'ada@example.com' }, () => orders.cancelOrder(CANCEL)),
    ).rejects.toThrow();
    const text = JSON.stringify(await fixture.records(3), (_key, value: unknown) =>
      typeof value === 'bigint' ? String(value) : value,
    );
    for (const secret of ['@', 'brass', 'ot_secret', TOKEN, userToken]) expect(text).not.toContain(secret);
    const found = await trail.store.list({ objectId: 'ada@example.com', action: 'Login' }, 10);
    expect(found).toMatchObject([{ object_type: 'email', reason: 'WRONG_CREDENTIALS' }]);
  });

  it("takes nobody's word for an address but that of Souk's services", async () => {
    const { stranger } = await serve(fixture.trailOf());
    await expect(within({}, () => stranger.fulfillOrder(FULFIL))).rejects.toThrow();
    expect(await fixture.records(1)).toMatchObject([{ source: '127.0.0.1', caller: '', outcome: 'denied' }]);
  });
});

describe("people's own writes", () => {
  it('are answered while nothing can be recorded, and recorded afterwards', async () => {
    const { orders } = await serve(fixture.trailOf());
    const userToken = await identity.tokenFor({ userId: 'u2' });
    await fixture.postgres.database.transaction(async (tx) => {
      await tx.query(LOCK);
      await within({ userToken }, () => orders.cancelOrder(CANCEL));
      expect(await fixture.records(0)).toEqual([]);
    });
    expect(await fixture.records(1)).toMatchObject([{ principal_id: 'u2', outcome: 'allowed' }]);
  });

  it('wait in bounded number for a database that is away; more are counted as lost, and told of', async () => {
    const away = Database.connect({ url: 'postgres://nobody@127.0.0.1:1/none', name: 'away' });
    const told: unknown[] = [];
    const silent = createLogger('test');
    const logger = Object.assign(Object.create(silent) as typeof silent, {
      error: (fields: unknown) => void told.push(fields),
    });
    const trail = new AuditTrail({ service: 'orders', database: away, logger });
    const counter = metrics.counter('audit_records_lost_total');
    const lost = async () => (await counter.get()).values[0]?.value ?? 0;
    const before = await lost();
    for (let index = 0; index < 10_007; index += 1) trail.settled(callBy('c1'), { outcome: 'allowed', reason: '' });
    expect((await lost()) - before).toBe(7);
    await trail.onModuleDestroy();
    expect((await lost()) - before).toBe(10_007);
    expect(told).toEqual([{ count: 10_007 }]);
    await away.close();
  });
});

describe('privileged work', () => {
  it('is refused where it cannot be recorded first, and not begun', async () => {
    const away = Database.connect({ url: 'postgres://nobody@127.0.0.1:1/none', name: 'away' });
    fixture.ends.push(() => away.close());
    let begun = 0;
    const { orders } = await serve(fixture.trailOf(60_000, away), async () => ({ begun: (begun += 1) }));
    const call = within({ userToken: await staff() }, () => orders.fulfillOrder(FULFIL, { timeoutMs: 20_000 }));
    await expect(call).rejects.toMatchObject({ reason: 'AUDIT_UNAVAILABLE' });
    expect(begun).toBe(0);
  });

  it('leaves its trace before it begins, for whoever asks after the process died in it', async () => {
    const begun = Promise.withResolvers<AuditRow[]>();
    const trail = fixture.trailOf();
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
    await trail.asked(callBy('c1', true), '');
    const ended = callBy('c2', true);
    await trail.asked(ended, '');
    trail.settled(ended, { outcome: 'failed', reason: 'NO' });
    await fixture.records(4);
    expect(await trail.store.unfinished(new Date())).toBe(2n);
    expect(await trail.store.unfinished(new Date(0))).toBe(0n);
    const unfinished = await trail.store.list({ outcome: 'unfinished', principalId: 'u1' }, 10);
    expect(unfinished).toMatchObject([{ outcome: 'asked', principal_id: 'u1', object_id: ORDER }]);
    expect(await trail.store.list({ outcome: 'unfinished' }, 10)).toHaveLength(2);
  });
});

describe('the chain', () => {
  it('is one, whoever writes at the same time', async () => {
    const second = Database.connect({ url: fixture.postgres.url, name: 'second' });
    fixture.ends.push(() => second.close());
    const trails = [fixture.trailOf(), fixture.trailOf(60_000, second)];
    await Promise.all(
      Array.from({ length: 200 }, async (_, index) => {
        const trail = trails[index % 2] as AuditTrail;
        await trail.asked(callBy(`c${index}`), 'orders:write');
        trail.settled(callBy(`c${index}`), { outcome: 'allowed', reason: 'orders:write' });
      }),
    );
    await fixture.records(400);
    expect(await verifyChain((trails[0] as AuditTrail).store)).toMatchObject({ verified: 400n, head: { seq: 400n } });
  });

  it('has a record once that was handed over twice', async () => {
    const trail = fixture.trailOf();
    trail.settled(callBy('c1'), { outcome: 'allowed', reason: '' });
    const [row] = await fixture.records(1);
    const { id, call_id: callId } = row as AuditRow;
    const record = { ...callBy('c1'), ...{ id, callId, service: '', principalKind: '', principalId: '', roles: '' } };
    const more = { sessionId: '', objectType: '', objectId: '', outcome: '', reason: '', count: 1 };
    await trail.keep([{ ...record, ...more }]);
    await fixture.records(1);
  });

  it('keeps what the database could not take at first', async () => {
    const trail = fixture.trailOf();
    const impatient = Database.connect({ url: fixture.postgres.url, name: 'impatient', statementTimeoutMs: 100 });
    fixture.ends.push(() => impatient.close());
    const hurried = fixture.trailOf(60_000, impatient);
    await fixture.postgres.database.transaction(async (tx) => {
      await tx.query(LOCK);
      hurried.settled(callBy('c1'), { outcome: 'allowed', reason: '' });
      await sleep(400);
    });
    await fixture.records(1);
    expect(await verifyChain(trail.store)).toMatchObject({ verified: 1n });
  });

  it('bounds what a flood of refusals writes, and counts it', async () => {
    const trail = fixture.trailOf(1_500);
    const guest = () => ({ ...callBy(''), principal: { kind: 'guest' as const } });
    for (let index = 0; index < 5_000; index += 1) {
      trail.settled({ ...guest(), source: `198.51.${index % 250}.${index % 20}` }, { outcome: 'denied', reason: 'NO' });
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
