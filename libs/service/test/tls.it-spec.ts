import { setTimeout as sleep } from 'node:timers/promises';
import { Client, credentials, Metadata, status, type ChannelCredentials, type ServiceError } from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { connect } from 'node:tls';
import { Allow, TokenVerifier, type Rule } from '@souk/auth';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import {
  NotificationsServiceService,
  type ListNotificationsRequest,
  type ListNotificationsResponse,
} from '@souk/proto/notifications/v1';
import { currentPrincipal, METADATA, rpcClient, RpcController, RpcServer, type RpcClientOptions } from '@souk/rpc';
import { callContext, createLogger, runInContext, type CallContext } from '@souk/telemetry';
import { CertificateAuthority, TestCertificates, type TestCertificateFiles } from '@souk/testing/certificates';

/** Under a name that does not read, so that no call is tried again and every broken one is seen. */
const SERVICE = { ask: NotificationsServiceService.listNotifications };
const TOKEN = 'a-service-token-for-tests';
const ANY: ListNotificationsRequest = { orderId: 'any' };
const NOTHING: ListNotificationsResponse = { notifications: [] };
/** Every caller that the tests have, with a name or without. */
const ANYBODY: [Rule, ...Rule[]] = ['anyone', 'service:orders', 'service:identity'];
/** Certificates are looked at every two seconds. */
const SEEN_MS = 2_500;

let identity: TestIdentity;
let certificates: TestCertificates;
const opened: { close(): unknown }[] = [];

beforeAll(async () => {
  identity = await testIdentity();
});
beforeEach(async () => {
  certificates = await TestCertificates.make();
});
afterEach(async () => {
  for (const { close } of opened.splice(0)) await close();
  certificates.remove();
});

type Answer = () => Promise<ListNotificationsResponse>;

interface Served {
  /** What its certificate names; it is the notifications service. */
  readonly tls?: TestCertificateFiles;
  readonly name?: string;
  readonly rules?: [Rule, ...Rule[]];
}

async function serve(answer: Answer, { name = 'notifications', tls, rules = ANYBODY }: Served = {}) {
  @RpcController(SERVICE)
  class Controller {
    @Allow(...rules)
    ask(): Promise<ListNotificationsResponse> {
      return answer();
    }
  }
  const server = new RpcServer({
    name,
    serviceToken: TOKEN,
    tls: tls ?? (await certificates.issue(name)),
    verifier: new TokenVerifier(identity.keys),
    logger: createLogger('test'),
  });
  server.add(Controller, new Controller());
  const port = await server.listen('127.0.0.1', 0);
  opened.push({ close: () => server.close(500) });
  return { server, port };
}

function clientOf(
  port: number,
  caller: string,
  tls: TestCertificateFiles,
  change: Partial<RpcClientOptions<typeof SERVICE>> = {},
) {
  const address = `127.0.0.1:${port}`;
  const client = rpcClient(SERVICE, { address, caller, tls, timeoutMs: 3_000, ...change });
  opened.unshift(client);
  return client;
}

/** Any gRPC client, which claims to be orders and knows the services' secret. */
function strange(port: number, channel: ChannelCredentials, name = 'localhost') {
  const client = new Client(`127.0.0.1:${port}`, channel, { 'grpc.ssl_target_name_override': name });
  opened.unshift({ close: () => client.close() });
  const { path, requestSerialize, responseDeserialize } = SERVICE.ask;
  return {
    ask: (token?: string) =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata();
        metadata.set(METADATA.caller, 'orders');
        metadata.set(METADATA.serviceToken, TOKEN);
        if (token) metadata.set(METADATA.authorization, `Bearer ${token}`);
        const options = { deadline: Date.now() + 3_000 };
        const settle = (error: ServiceError | null, value: unknown) => (error ? reject(error) : resolve(value));
        client.makeUnaryRequest(path, requestSerialize, responseDeserialize, ANY, metadata, options, settle);
      }),
  };
}

async function seenCaller(): Promise<{ port: number; seen: () => string | undefined }> {
  let seen: string | undefined;
  const { port } = await serve(async () => {
    seen = callContext().caller;
    return NOTHING;
  });
  return { port, seen: () => seen };
}

it("takes a caller's name from its certificate", async () => {
  const { port, seen } = await seenCaller();
  await clientOf(port, 'orders', await certificates.issue('orders')).ask(ANY);
  expect(seen()).toBe('orders');
});

it('lets a service do what its certificate may, and no more', async () => {
  const { port } = await serve(async () => NOTHING, { rules: ['service:identity'] });
  expect(await clientOf(port, 'identity', await certificates.issue('identity')).ask(ANY)).toEqual(NOTHING);
  const orders = clientOf(port, 'orders', await certificates.issue('orders'));
  await expect(orders.ask(ANY)).rejects.toMatchObject({ reason: 'PERMISSION_DENIED' });
});

it('lets programs in without a certificate, as callers from outside whatever they claim', async () => {
  let seen: [string | undefined, string] | undefined;
  const { port } = await serve(async () => {
    seen = [callContext().caller, currentPrincipal().kind];
    return NOTHING;
  });
  const ca = Buffer.from(certificates.authority.certificate);
  const program = strange(port, credentials.createSsl(ca));
  await program.ask(await identity.clientToken({ clientId: 'erp', permissions: ['orders:read'] }));
  expect(seen).toEqual([undefined, 'client']);
  await expect(program.ask()).rejects.toMatchObject({ code: status.UNAUTHENTICATED });
});

it("does not believe the services' secret, whoever shows it", async () => {
  const { port } = await serve(async () => NOTHING, { rules: ['service:orders'] });
  const ca = Buffer.from(certificates.authority.certificate);
  const stranger = strange(port, credentials.createSsl(ca));
  await expect(stranger.ask()).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
  const { caFile, certFile, keyFile } = await certificates.issue('gateway');
  const [root, cert, key] = [caFile, certFile, keyFile].map((file) => readFileSync(file));
  const gateway = strange(port, credentials.createSsl(root, key, cert));
  await expect(gateway.ask()).rejects.toMatchObject({ code: status.PERMISSION_DENIED });
});

it('does not speak without TLS', async () => {
  const { port } = await serve(async () => NOTHING);
  await expect(strange(port, credentials.createInsecure()).ask()).rejects.toMatchObject({
    code: status.UNAVAILABLE,
  });
});

/** What a client could show instead of a good certificate. */
const BAD: Readonly<Record<string, () => Promise<{ certificate: string; key: string }>>> = {
  'has expired': () => certificates.authority.issue({ uri: 'spiffe://souk/orders', lifeMs: -1_000 }),
  'comes from another authority': async () => {
    const foreign = await CertificateAuthority.create();
    return foreign.issue({ uri: 'spiffe://souk/orders', lifeMs: 60_000 });
  },
  'is signed by itself': () => CertificateAuthority.selfSigned({ uri: 'spiffe://souk/orders', lifeMs: 60_000 }),
  'names no service of Souk': () => certificates.authority.issue({ uri: 'spiffe://elsewhere/orders', lifeMs: 60_000 }),
};

it.each(Object.keys(BAD))('refuses a client whose certificate %s', async (which) => {
  const { port, seen } = await seenCaller();
  const { certificate, key } = await BAD[which]!();
  const ca = Buffer.from(certificates.authority.certificate);
  const client = strange(port, credentials.createSsl(ca, Buffer.from(key), Buffer.from(certificate)));
  await expect(client.ask()).rejects.toMatchObject({ code: status.UNAVAILABLE });
  expect(seen()).toBeUndefined();
});

it('refuses a server that is another service than the one that is meant', async () => {
  const asked = jest.fn(async () => NOTHING);
  const { port } = await serve(asked, { name: 'payments' });
  const orders = clientOf(port, 'orders', await certificates.issue('orders'));
  await expect(orders.ask(ANY)).rejects.toMatchObject({
    reason: 'SERVICE_UNAVAILABLE',
    cause: { details: expect.stringContaining('is the service payments, not notifications') },
  });
  const knowing = clientOf(port, 'orders', await certificates.issue('orders'), { service: 'payments' });
  expect(await knowing.ask(ANY)).toEqual(NOTHING);
  expect(asked).toHaveBeenCalledTimes(1);
});

it('refuses a server of another authority', async () => {
  const { port } = await serve(async () => NOTHING);
  certificates.authority = await CertificateAuthority.create();
  const orders = clientOf(port, 'orders', await certificates.issue('orders'));
  await expect(orders.ask(ANY)).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
});

it('does not go on with a connection whose certificate has expired', async () => {
  const { port } = await serve(async () => NOTHING);
  const orders = clientOf(port, 'orders', await certificates.issue('orders', { lifeMs: 2_500 }));
  expect(await orders.ask(ANY)).toEqual(NOTHING);
  await sleep(2_600);
  await expect(orders.ask(ANY)).rejects.toMatchObject({ reason: 'CERTIFICATE_EXPIRED' });
});

it('speaks TLS 1.3 alone', async () => {
  const { port } = await serve(async () => NOTHING);
  const ca = certificates.authority.certificate;
  const socket = connect({ port, host: '127.0.0.1', ca, maxVersion: 'TLSv1.2', ALPNProtocols: ['h2'] });
  const outcome = await new Promise((resolve) => socket.once('error', resolve).once('secureConnect', resolve));
  expect(outcome).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
});

it('passes the token of a person on, and each service verifies it again', async () => {
  const { port } = await serve(
    async () => {
      expect(currentPrincipal()).toMatchObject({ userId: 'u1' });
      return NOTHING;
    },
    { rules: ['service:orders'] },
  );
  const onward = clientOf(port, 'orders', await certificates.issue('orders'));
  const tls = await certificates.issue('orders');
  const first = await serve(() => onward.ask(ANY), { name: 'orders', tls, rules: ['user'] });
  const gateway = clientOf(first.port, 'gateway', await certificates.issue('gateway'), { service: 'orders' });
  const call = (userToken?: string) => {
    const context: CallContext = { ...callContext(), ...(userToken && { userToken }) };
    return runInContext(context, () => gateway.ask(ANY));
  };
  expect(await call(await identity.tokenFor({ userId: 'u1' }))).toEqual(NOTHING);
  const forged = await (await testIdentity()).tokenFor({ userId: 'u1' });
  await expect(call(forged)).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
  // The second service is asked by the first, which everybody trusts, and still wants to see the person.
  const straight = runInContext({ ...callContext(), userToken: forged }, () => onward.ask(ANY));
  await expect(straight).rejects.toMatchObject({ reason: 'TOKEN_INVALID' });
});

describe('when certificates change', () => {
  /** Calls from several at a time, until told to stop. */
  function keepCalling(call: () => Promise<unknown>): { stop: () => Promise<{ done: number; failures: unknown[] }> } {
    let stopped = false;
    let done = 0;
    const failures: unknown[] = [];
    const one = async () => {
      // What fails once ends it: the rest would fail at once, for ever.
      while (!stopped && failures.length === 0) {
        await call().then(
          () => done++,
          (error: unknown) => failures.push(error),
        );
      }
    };
    const all = Promise.all([one(), one(), one(), one()]);
    const stop = async () => {
      stopped = true;
      await all;
      return { done, failures };
    };
    opened.unshift({ close: stop });
    return { stop };
  }

  it('fails no call, whether certificates or the authority are replaced (F80)', async () => {
    const names = new Set<string>();
    const { port } = await serve(async () => {
      names.add(String(callContext().caller));
      await sleep(1);
      return NOTHING;
    });
    const orders = clientOf(port, 'orders', await certificates.issue('orders'));
    const load = keepCalling(() => orders.ask(ANY));
    const replaceBoth = async () => {
      await Promise.all([certificates.issue('orders'), certificates.issue('notifications')]);
      await sleep(SEEN_MS);
    };
    await replaceBoth();
    const before = certificates.authority;
    await replaceAuthority(before);
    await replaceBoth();
    const { done, failures } = await load.stop();
    expect(failures).toEqual([]);
    expect(done).toBeGreaterThan(100);
    expect([...names]).toEqual(['orders']);
    // What was renewed is in use: the first authority is trusted no more.
    certificates.authority = before;
    const old = clientOf(port, 'gateway', await certificates.issue('gateway'));
    await expect(old.ask(ANY)).rejects.toMatchObject({ reason: 'SERVICE_UNAVAILABLE' });
  });

  /** Both trust both, then both show the new one's certificates. */
  async function replaceAuthority(before: CertificateAuthority): Promise<void> {
    const after = await CertificateAuthority.create();
    for (const issuer of [before, after]) {
      for (const service of ['orders', 'notifications']) {
        const issued = await issuer.issue({ uri: `spiffe://souk/${service}`, lifeMs: 60_000 });
        certificates.put(service, issued, before.certificate + after.certificate);
      }
      await sleep(SEEN_MS);
    }
    certificates.authority = after;
  }

  it('lets a call under way end on the connection that it began on', async () => {
    const { port } = await serve(async () => {
      await sleep(2 * SEEN_MS);
      return NOTHING;
    });
    const orders = clientOf(port, 'orders', await certificates.issue('orders'), { timeoutMs: 10_000 });
    const slow = orders.ask(ANY);
    await sleep(100);
    await Promise.all([certificates.issue('orders'), certificates.issue('notifications')]);
    await sleep(SEEN_MS);
    const next = orders.ask(ANY);
    expect(await slow).toEqual(NOTHING);
    expect(await next).toEqual(NOTHING);
  });

  it('goes on with the last certificate where the new files do not fit together', async () => {
    const { port } = await serve(async () => NOTHING);
    const tls = await certificates.issue('orders');
    const orders = clientOf(port, 'orders', tls);
    const uri = 'spiffe://souk/orders';
    const { certificate } = await certificates.authority.issue({ uri, lifeMs: 60_000 });
    const { key } = await certificates.authority.issue({ uri, lifeMs: 60_000 });
    certificates.put('orders', { certificate, key }, certificates.authority.certificate);
    await sleep(SEEN_MS);
    expect(await orders.ask(ANY)).toEqual(NOTHING);
    certificates.put('orders', { certificate: 'nonsense', key }, certificates.authority.certificate);
    await sleep(SEEN_MS);
    expect(await orders.ask(ANY)).toEqual(NOTHING);
  });
});

it.each([
  ['names another service', 'payments', {}, 'does not name the service orders'],
  ['has expired', 'orders', { lifeMs: -1_000 }, 'has expired'],
])('does not start with a certificate that %s', async (_, service, certificate, sentence) => {
  const tls = await certificates.issue('orders', { uri: `spiffe://souk/${service}`, ...certificate });
  expect(() => clientOf(1, 'orders', tls)).toThrow(sentence);
});

it('does not start with files that are missing', () => {
  const tls = { caFile: '/nowhere/ca.pem', certFile: '/nowhere/cert.pem', keyFile: '/nowhere/key.pem' };
  expect(() => clientOf(1, 'orders', tls)).toThrow('/nowhere/ca.pem cannot be used');
});
