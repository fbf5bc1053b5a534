import { randomBytes } from 'node:crypto';
import { sql } from '@souk/postgres';
import {
  AccountServiceService,
  AddressBookServiceService,
  ClientsServiceService,
  IdentityServiceService,
  PrivacyRequestsServiceService,
  RolesServiceService,
  SecondFactorServiceService,
  SessionsServiceService,
  UsersServiceService,
  type Tokens,
  type User,
} from '@souk/proto/identity/v1';
import { NotificationsServiceService, type SendAccountMailRequest } from '@souk/proto/notifications/v1';
import { PrivacyServiceService, type ErasePersonalDataResponse } from '@souk/proto/privacy/v1';
import { rpcClient, type RpcClient, type ServiceDefinition } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { metrics, runInContext } from '@souk/telemetry';
import {
  eventually,
  fakeService,
  testDatabase,
  testNats,
  type FakeService,
  type TestDatabase,
  type TestNats,
} from '@souk/testing';
import type { IdentityConfig } from '../src/config.js';
import { identityService } from '../src/service.js';

const SERVICE_TOKEN = 'a token of the tests only';

export const PASSWORD = 'a quiet garden';
export const ADMIN = { email: 'root@souk.local', password: 'a long way home' };

export type IdentityClient = RpcClient<typeof IdentityServiceService>;

/** What notifications serves to identity. */
const NOTIFICATIONS = { ...NotificationsServiceService, ...PrivacyServiceService };

/** Nothing of the person is there. */
export const NOTHING: ErasePersonalDataResponse = { treatments: [], pending: 0, orderIds: [], nextPageToken: '' };

const keepsNothing = {
  erasePersonalData: () => NOTHING,
  exportPersonalData: () => ({ records: [], orderIds: [], nextPageToken: '' }),
};

/** One replica and a client for each of its services. */
export interface Replica {
  readonly service: RunningService;
  readonly client: IdentityClient;
  readonly account: RpcClient<typeof AccountServiceService>;
  readonly sessions: RpcClient<typeof SessionsServiceService>;
  readonly addressBook: RpcClient<typeof AddressBookServiceService>;
  readonly roles: RpcClient<typeof RolesServiceService>;
  readonly users: RpcClient<typeof UsersServiceService>;
  readonly clients: RpcClient<typeof ClientsServiceService>;
  readonly secondFactor: RpcClient<typeof SecondFactorServiceService>;
  readonly privacy: RpcClient<typeof PrivacyRequestsServiceService>;
}

/** Somebody who is logged in. */
export interface Person {
  readonly userId: string;
  readonly email: string;
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Database, broker and neighbours of one spec, and as many replicas of identity over them as it starts. */
export class IdentityUnderTest {
  private readonly running: RunningService[] = [];
  private readonly clients: { close(): void }[] = [];

  private constructor(
    readonly postgres: TestDatabase,
    readonly nats: TestNats,
    readonly notifications: FakeService<typeof NOTIFICATIONS>,
    readonly orders: FakeService<typeof PrivacyServiceService>,
    readonly payments: FakeService<typeof PrivacyServiceService>,
  ) {}

  static async prepare(): Promise<IdentityUnderTest> {
    const postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    const notifications = await fakeService(NOTIFICATIONS, { sendAccountMail: () => ({}), ...keepsNothing });
    const orders = await fakeService(PrivacyServiceService, keepsNothing);
    const payments = await fakeService(PrivacyServiceService, keepsNothing);
    return new IdentityUnderTest(postgres, await testNats(), notifications, orders, payments);
  }

  readonly keyEncryptionKey = randomBytes(32).toString('base64');

  async start(changes: Partial<IdentityConfig> = {}): Promise<Replica> {
    const config: IdentityConfig = {
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: 0,
      DATABASE_URL: this.postgres.url,
      NATS_URL: this.nats.url,
      NATS_PREFIX: this.nats.prefix,
      SOUK_SERVICE_TOKEN: SERVICE_TOKEN,
      SOUK_KEY_ENCRYPTION_KEY: this.keyEncryptionKey,
      SOUK_NOTIFICATIONS_ADDRESS: this.notifications.address,
      SOUK_ORDERS_ADDRESS: this.orders.address,
      SOUK_PAYMENTS_ADDRESS: this.payments.address,
      SOUK_ERASURE_SETTLE_SECONDS: 1,
      SOUK_KEY_ROTATION_DAYS: 90,
      SOUK_SHOP_URL: 'https://shop.example',
      SOUK_STAFF_SECOND_FACTOR: 'optional',
      SOUK_STAFF_PASSWORD_LOGIN: 'allowed',
      provider: undefined,
      firstAdmin: ADMIN,
      ...changes,
    };
    const service = await startService(identityService(config));
    this.running.push(service);
    return {
      service,
      client: this.clientOf(IdentityServiceService, service),
      account: this.clientOf(AccountServiceService, service),
      sessions: this.clientOf(SessionsServiceService, service),
      addressBook: this.clientOf(AddressBookServiceService, service),
      roles: this.clientOf(RolesServiceService, service),
      users: this.clientOf(UsersServiceService, service),
      clients: this.clientOf(ClientsServiceService, service),
      secondFactor: this.clientOf(SecondFactorServiceService, service),
      privacy: this.clientOf(PrivacyRequestsServiceService, service),
    };
  }

  clientOf<S extends ServiceDefinition>(
    definition: S,
    { port }: RunningService,
    { caller = 'gateway', serviceToken = SERVICE_TOKEN } = {},
  ): RpcClient<S> {
    const client = rpcClient(definition, { address: `127.0.0.1:${port}`, caller, serviceToken });
    this.clients.push(client);
    return client;
  }

  /** The mails that notifications was asked for, oldest first. */
  mailsTo(recipient: string): SendAccountMailRequest[] {
    const requests = this.notifications.calls.map(({ request }) => request as SendAccountMailRequest);
    return requests.filter((request) => request.recipient === recipient);
  }

  /** The kinds of those mails, once so many have gone out. */
  mailKinds(recipient: string, count: number): Promise<string[]> {
    return eventually(() => {
      const kinds = this.mailsTo(recipient).map(({ kind }) => kind.replace('KIND_', ''));
      expect(kinds).toHaveLength(count);
      return kinds;
    });
  }

  /** What stands in the link of the newest mail of that kind, not counting the first so many mails. */
  linkToken(recipient: string, kind: string, after = 0): Promise<string> {
    return eventually(() => {
      const mails = this.mailsTo(recipient).slice(after);
      const mail = mails.findLast((sent) => sent.kind === `KIND_${kind}`);
      const [, token] = /^https:\/\/shop\.example\/\w+#([\w-]{43})$/.exec(mail?.link ?? '') ?? [];
      if (!token) throw new Error(`No link of ${kind} went to ${recipient}.`);
      return token;
    });
  }

  /** Waits until every mail that was wanted has gone out. */
  async mailsSettled(): Promise<void> {
    await eventually(async () => {
      expect(await this.postgres.database.query(sql('test.mails', 'SELECT mail_id FROM account_mails'))).toEqual([]);
    });
  }

  async tearDown(): Promise<void> {
    this.clients.forEach((client) => client.close());
    await Promise.all(this.running.map((service) => service.stop()));
    await Promise.all([this.notifications.close(), this.orders.close(), this.payments.close()]);
    await this.nats.close();
    await this.postgres.drop();
  }
}

/** Makes the call with the person's access token. */
export function as<T>(person: Pick<Person, 'accessToken'> | undefined, call: () => Promise<T>): Promise<T> {
  return runInContext({ requestId: 'test', traceparent: '', userToken: person?.accessToken }, call);
}

export async function newPerson({ client }: Pick<Replica, 'client'>, email: string): Promise<Person> {
  return toPerson(await client.register({ email, password: PASSWORD, name: 'Ada' }));
}

export function toPerson({ user, tokens }: { user: User | undefined; tokens: Tokens | undefined }): Person {
  const { userId, email } = user!;
  return { userId, email, accessToken: tokens!.accessToken, refreshToken: tokens!.refreshToken };
}

/** Registers somebody who then proves that the address is their own. */
export async function newOwner(identity: IdentityUnderTest, replica: Replica, email: string): Promise<Person> {
  const before = identity.mailsTo(email).length;
  const person = await newPerson(replica, email);
  const token = await identity.linkToken(email, 'VERIFY_EMAIL', before);
  await as(person, () => replica.account.verifyEmail({ token }));
  return person;
}

/** The administrator of the configuration, logged in. */
export async function theAdmin({ client }: Pick<Replica, 'client'>): Promise<Person> {
  return toPerson(await client.login(ADMIN));
}

/** The person with the tokens, and so with the roles, of this moment. */
export async function refreshed({ client }: Pick<Replica, 'client'>, { refreshToken }: Person): Promise<Person> {
  return toPerson(await client.refreshSession({ refreshToken }));
}

/** How many passwords were hashed or compared in this process so far. */
export async function passwordHashes(): Promise<number> {
  const { values } = await metrics.counter('password_hashes_total').get();
  return values[0]?.value ?? 0;
}

/** What a call was refused with. */
export async function refusal(call: Promise<unknown>): Promise<object> {
  try {
    await call;
  } catch (error) {
    const { kind, reason, message, metadata, violations } = error as Record<string, unknown>;
    return { kind, reason, message, metadata, violations };
  }
  throw new Error('It was not refused.');
}
