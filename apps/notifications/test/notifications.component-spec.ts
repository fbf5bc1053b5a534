import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { encodeEvent, ensureStream } from '@souk/events';
import { sql, uuidv7 } from '@souk/postgres';
import { NotificationsServiceService } from '@souk/proto/notifications/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { runInContext } from '@souk/telemetry';
import { eventually, testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import { notificationsService } from '../src/service.js';
import { fixture } from './news.js';

const SERVICE_TOKEN = 'a token of the tests only';

describe('notifications', () => {
  let postgres: TestDatabase;
  let nats: TestNats;
  let identity: TestIdentity;
  let service: RunningService;
  let client: RpcClient<typeof NotificationsServiceService>;
  let mailDir: string;

  beforeAll(async () => {
    [postgres, nats, identity] = await Promise.all([
      testDatabase({ migrations: 'apps/notifications/migrations' }),
      testNats(),
      testIdentity(),
    ]);
    mailDir = await mkdtemp(path.join(tmpdir(), 'souk-mail-'));
    await ensureStream(nats.bus, 'orders');
    service = await start();
    const address = `127.0.0.1:${service.port}`;
    client = rpcClient(NotificationsServiceService, { address, caller: 'gateway', serviceToken: SERVICE_TOKEN });
  });

  afterAll(async () => {
    client.close();
    await service.stop();
    await nats.close();
    await postgres.drop();
    await rm(mailDir, { recursive: true });
  });

  function start(): Promise<RunningService> {
    const config = {
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: 0,
      DATABASE_URL: postgres.url,
      NATS_URL: nats.url,
      NATS_PREFIX: nats.prefix,
      SOUK_SERVICE_TOKEN: SERVICE_TOKEN,
      SOUK_IDENTITY_ADDRESS: '127.0.0.1:1',
      MAIL_DIR: mailDir,
      MAIL_FROM: 'Souk <orders@souk.local>',
    };
    return startService({ ...notificationsService(config), signingKeys: identity.keys });
  }

  /** Publishes the fixture of the event about the order, without the broker's own protection from repetitions. */
  async function publish(
    name: string,
    order: { orderId: string; number: string },
    eventId: string,
    replayed = false,
  ): Promise<void> {
    const data = fixture(name) as { order: object };
    const type = `souk.orders.v1.${name}`;
    const { headers, payload } = encodeEvent({
      id: eventId,
      type,
      source: 'orders',
      aggregateId: order.orderId,
      time: new Date(),
      data: JSON.stringify({ ...data, order: { ...data.order, ...order } }),
    });
    headers.delete('Nats-Msg-Id');
    if (replayed) headers.set('souk-replayed', 'true');
    await nats.bus.js.publish(nats.bus.subject(type), payload, { headers });
  }

  const filesOf = async (orderNumber: string) =>
    (await readdir(mailDir)).filter((name) => name.endsWith(`-${orderNumber}.eml`)).sort();

  const settled = () =>
    eventually(async () => {
      const [row] = await postgres.database.query<{ open: number }>(
        sql('test.open', `SELECT count(*)::int AS open FROM notifications WHERE state <> 'SENT'`),
      );
      expect(row?.open).toBe(0);
      for (const name of await nats.bus.jsm.consumers.list(nats.bus.stream('ORDERS')).next()) {
        expect([name.num_pending, name.num_ack_pending]).toEqual([0, 0]);
      }
    });

  async function list(orderId: string, role: 'customer' | 'staff' = 'staff') {
    const userToken = await identity.tokenFor({ userId: uuidv7(), roles: [role] });
    const context = { requestId: 'test', traceparent: '', userToken };
    return runInContext(context, () => client.listNotifications({ orderId }));
  }

  it('writes one mail for an event that is delivered twice (F57, I17)', async () => {
    const order = { orderId: uuidv7(), number: 'AAAA-0001' };
    const eventId = uuidv7();
    await publish('OrderConfirmed', order, eventId);
    await publish('OrderConfirmed', order, eventId);
    await eventually(async () => expect(await filesOf(order.number)).toHaveLength(1));
    await settled();
    const [file] = await filesOf(order.number);
    expect(file).toMatch(/^\d{8}T\d{9}Z-ORDER_CONFIRMED-AAAA-0001\.eml$/);
    expect(await readFile(path.join(mailDir, file!), 'utf8')).toContain('Subject: Your order AAAA-0001 is confirmed');
    expect(await filesOf(order.number)).toHaveLength(1);
  });

  it('writes one mail for a fact that is told by two events', async () => {
    const order = { orderId: uuidv7(), number: 'AAAA-0002' };
    await publish('OrderConfirmed', order, uuidv7());
    await publish('OrderConfirmed', order, uuidv7());
    await eventually(async () => expect(await filesOf(order.number)).toHaveLength(1));
    await settled();
    expect(await filesOf(order.number)).toHaveLength(1);
  });

  it('tells nobody of events that are played again, and goes on with new ones (F66)', async () => {
    const [old, present] = [1, 2].map((n) => ({ orderId: uuidv7(), number: `AAAA-001${n}` }));
    await publish('OrderConfirmed', old!, uuidv7(), true);
    await publish('OrderConfirmed', present!, uuidv7());
    await eventually(async () => expect(await filesOf(present!.number)).toHaveLength(1));
    await settled();
    expect(await filesOf(old!.number)).toEqual([]);
    expect((await list(old!.orderId)).notifications).toEqual([]);
  });

  it('writes of everything that happens to an order, and lists it for staff', async () => {
    const order = { orderId: uuidv7(), number: 'AAAA-0003', updateTime: '2026-03-01T10:01:00Z' };
    for (const name of ['OrderConfirmed', 'OrderRejected', 'OrderCancelled', 'OrderFulfilled']) {
      await publish(name, order, uuidv7());
    }
    await eventually(async () => expect(await filesOf(order.number)).toHaveLength(4));
    await settled();
    const { notifications } = await list(order.orderId);
    const kinds = ['ORDER_CANCELLED', 'ORDER_CONFIRMED', 'ORDER_FULFILLED', 'ORDER_REJECTED'];
    expect(notifications.map(({ kind }) => kind).sort()).toEqual(kinds);
    expect(notifications[0]).toMatchObject({
      orderId: order.orderId,
      recipient: 'ada@example.com',
      state: 'STATE_SENT',
      createTime: expect.any(Date),
      sendTime: expect.any(Date),
    });
  });

  it('lists nothing for customers, and nothing by a malformed identifier', async () => {
    await expect(list(uuidv7(), 'customer')).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
    await expect(list('nonsense')).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'order_id' }],
    });
  });

  describe('asked for a mail about an account', () => {
    const request = () => ({
      requestId: uuidv7(),
      recipient: 'ada@example.com',
      kind: 'KIND_VERIFY_EMAIL' as const,
      name: '',
      link: 'http://127.0.0.1:3000/verify#abc',
      linkMinutes: 1_440,
    });
    const asService = <T>(caller: string, call: (asking: typeof client) => Promise<T>) => {
      const address = `127.0.0.1:${service.port}`;
      const asking = rpcClient(NotificationsServiceService, { address, caller, serviceToken: SERVICE_TOKEN });
      return call(asking).finally(() => asking.close());
    };
    const verifications = async () => (await readdir(mailDir)).filter((name) => /^[^.].*-VERIFY_EMAIL-/.test(name));

    it('writes it once for each request', async () => {
      const asked = request();
      await asService('identity', (asking) => asking.sendAccountMail(asked));
      await asService('identity', (asking) => asking.sendAccountMail(asked));
      const [file] = await eventually(async () => {
        const files = await verifications();
        expect(files).toHaveLength(1);
        return files;
      });
      await settled();
      expect(await readFile(path.join(mailDir, file!), 'utf8')).toContain('\nhttp://127.0.0.1:3000/verify#abc\n');
      expect(await verifications()).toHaveLength(1);
    });

    it('takes that from identity and from nobody else', async () => {
      const refused = { reason: 'PERMISSION_DENIED' };
      await expect(asService('gateway', (asking) => asking.sendAccountMail(request()))).rejects.toMatchObject(refused);
      const userToken = await identity.tokenFor({ userId: uuidv7(), roles: ['admin'] });
      const asAdmin = runInContext({ requestId: 'test', traceparent: '', userToken }, () =>
        client.sendAccountMail(request()),
      );
      await expect(asAdmin).rejects.toMatchObject(refused);
    });

    it('names each wrong field', async () => {
      const wrong = { ...request(), requestId: 'x', recipient: 'a@b, c@d', link: 'javascript:alert(1)' };
      const asked = (changes: object) =>
        asService('identity', (asking) => asking.sendAccountMail({ ...wrong, ...changes }));
      await expect(asked({})).rejects.toMatchObject({
        violations: [{ field: 'request_id' }, { field: 'recipient' }, { field: 'link' }],
      });
      await expect(asked({ kind: 'KIND_UNSPECIFIED' })).rejects.toMatchObject({
        violations: [{ field: 'request_id' }, { field: 'recipient' }, { field: 'kind' }],
      });
    });
  });

  it('keeps up with a burst, and misses nothing of what came while it was down', async () => {
    await service.stop();
    const numbers = Array.from({ length: 300 }, (_, index) => `BBBB-${String(index).padStart(4, '0')}`);
    await Promise.all(numbers.map((number) => publish('OrderConfirmed', { orderId: uuidv7(), number }, uuidv7())));
    service = await start();
    await eventually(
      async () => expect((await readdir(mailDir)).filter((name) => name.includes('-BBBB-'))).toHaveLength(300),
      { timeoutMs: 20_000, intervalMs: 200 },
    );
    expect((await readdir(mailDir)).filter((name) => name.startsWith('.'))).toEqual([]);
  });
});
