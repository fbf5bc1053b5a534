/** The gateway's neighbours as fakes over real gRPC: unary calls, the import's stream, and health. */
import {
  Server,
  ServerCredentials,
  type Metadata,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { AuditServiceService } from '@souk/proto/audit/v1';
import { CatalogServiceService } from '@souk/proto/catalog/v1';
import {
  AccountServiceService,
  AddressBookServiceService,
  ClientsServiceService,
  IdentityServiceService,
  PrivacyRequestsServiceService,
  RolesServiceService,
  ProviderLoginServiceService,
  SecondFactorServiceService,
  SessionsServiceService,
  UsersServiceService,
} from '@souk/proto/identity/v1';
import { InventoryServiceService } from '@souk/proto/inventory/v1';
import { CartsServiceService, OrdersServiceService } from '@souk/proto/orders/v1';
import { PaymentsServiceService } from '@souk/proto/payments/v1';
import { toStatus, type Handlers } from '@souk/rpc';
import { AUDITED, type AuditedService } from '../src/config.js';

type Answers<S> = {
  -readonly [K in keyof Handlers<S>]?: (
    request: Parameters<Handlers<S>[K]>[0],
    metadata: Metadata,
  ) => Awaited<ReturnType<Handlers<S>[K]>> | ReturnType<Handlers<S>[K]>;
};

/** What each RPC answers; may be changed while the fakes run. */
export interface FakeAnswers {
  audits: Record<AuditedService, Answers<typeof AuditServiceService>>;
  identity: Answers<typeof IdentityServiceService>;
  account: Answers<typeof AccountServiceService>;
  sessions: Answers<typeof SessionsServiceService>;
  providerLogin: Answers<typeof ProviderLoginServiceService>;
  secondFactor: Answers<typeof SecondFactorServiceService>;
  addressBook: Answers<typeof AddressBookServiceService>;
  machineClients: Answers<typeof ClientsServiceService>;
  privacyRequests: Answers<typeof PrivacyRequestsServiceService>;
  roles: Answers<typeof RolesServiceService>;
  users: Answers<typeof UsersServiceService>;
  catalog: Answers<typeof CatalogServiceService>;
  inventory: Answers<typeof InventoryServiceService>;
  carts: Answers<typeof CartsServiceService>;
  orders: Answers<typeof OrdersServiceService>;
  payments: Answers<typeof PaymentsServiceService>;
}

export interface FakeServices {
  readonly answers: FakeAnswers;
  readonly addresses: Record<AuditedService, string>;
  stop(service: AuditedService): void;
  stopAll(): void;
}

type Definition = Readonly<Record<string, { requestStream: boolean }>>;
type AnyAnswer = (request: unknown, metadata: Metadata) => unknown;

export async function fakeServices(): Promise<FakeServices> {
  const noRecords = { listRecords: () => ({ records: [], nextPageToken: '' }), recordRefusals: () => ({}) };
  const audits = {} as FakeAnswers['audits'];
  for (const service of AUDITED) audits[service] = { ...noRecords };
  const answers: FakeAnswers = {
    audits,
    identity: {},
    account: {},
    sessions: {},
    providerLogin: {},
    secondFactor: {},
    addressBook: {},
    machineClients: {},
    privacyRequests: {},
    roles: {},
    users: {},
    catalog: {},
    inventory: {},
    carts: {},
    orders: {},
    payments: {},
  };
  const definitions: Record<AuditedService, [Exclude<keyof FakeAnswers, 'audits'>, Definition][]> = {
    identity: [
      ['identity', IdentityServiceService],
      ['account', AccountServiceService],
      ['sessions', SessionsServiceService],
      ['providerLogin', ProviderLoginServiceService],
      ['secondFactor', SecondFactorServiceService],
      ['addressBook', AddressBookServiceService],
      ['machineClients', ClientsServiceService],
      ['privacyRequests', PrivacyRequestsServiceService],
      ['roles', RolesServiceService],
      ['users', UsersServiceService],
    ],
    catalog: [['catalog', CatalogServiceService]],
    inventory: [['inventory', InventoryServiceService]],
    orders: [
      ['orders', OrdersServiceService],
      ['carts', CartsServiceService],
    ],
    payments: [['payments', PaymentsServiceService]],
    notifications: [],
  };
  const servers = new Map<AuditedService, Server>();
  const addresses: Partial<Record<AuditedService, string>> = {};
  for (const service of AUDITED) {
    const server = new Server();
    // Every service keeps who did what; they are told apart by what is asked of which.
    server.addService(
      AuditServiceService,
      handlers(AuditServiceService, () => answers.audits[service]),
    );
    for (const [name, definition] of definitions[service]) {
      server.addService(
        definition as unknown as ServiceDefinition,
        handlers(definition, () => answers[name]),
      );
    }
    new HealthImplementation({ '': 'SERVING' }).addToServer(server);
    addresses[service] = `127.0.0.1:${await listen(server)}`;
    servers.set(service, server);
  }
  return {
    answers,
    addresses: addresses as Record<AuditedService, string>,
    stop: (service) => servers.get(service)?.forceShutdown(),
    stopAll: () => servers.forEach((server) => server.forceShutdown()),
  };
}

function handlers(definition: Definition, answers: () => object): UntypedServiceImplementation {
  const handle =
    (method: string) => (call: { request: unknown; metadata: Metadata }, callback: (...args: unknown[]) => void) => {
      const answer = (answers() as Record<string, AnyAnswer | undefined>)[method];
      Promise.resolve()
        .then(() => {
          if (!answer) throw new Error(`${method} was not expected`);
          return answer(definition[method]?.requestStream ? call : call.request, call.metadata);
        })
        .then(
          (response) => callback(null, response),
          (error: unknown) => callback(toStatus(error, 'fake')),
        );
    };
  return Object.fromEntries(
    Object.keys(definition).map((method) => [method, handle(method)]),
  ) as UntypedServiceImplementation;
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
      error ? reject(error) : resolve(port),
    );
  });
}
