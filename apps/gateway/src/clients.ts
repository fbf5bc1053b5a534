/**
 * One typed client per service. Writes are listed as idempotent where their requests carry a key, or an identifier, that
 * makes them happen once; only these are tried again when a service could not be reached.
 */
import type { Provider } from '@nestjs/common';
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
import { rpcClient, type RpcClient } from '@souk/rpc';
import type { AuditedService, GatewayConfig, ServiceName } from './config.js';

export const IDENTITY = Symbol('identity');
export const ACCOUNT = Symbol('account');
export const SESSIONS = Symbol('sessions');
export const PROVIDER_LOGIN = Symbol('provider login');
export const SECOND_FACTOR = Symbol('second factor');
export const ADDRESS_BOOK = Symbol('address book');
export const MACHINE_CLIENTS = Symbol('machine clients');
export const ROLES = Symbol('roles');
export const USERS = Symbol('users');
export const PRIVACY = Symbol('privacy requests');
export const CATALOG = Symbol('catalog');
export const INVENTORY = Symbol('inventory');
export const CARTS = Symbol('carts');
export const ORDERS = Symbol('orders');
export const PAYMENTS = Symbol('payments');

export type IdentityClient = RpcClient<typeof IdentityServiceService>;
export type AccountClient = RpcClient<typeof AccountServiceService>;
export type SessionsClient = RpcClient<typeof SessionsServiceService>;
export type ProviderLoginClient = RpcClient<typeof ProviderLoginServiceService>;
export type SecondFactorClient = RpcClient<typeof SecondFactorServiceService>;
export type AddressBookClient = RpcClient<typeof AddressBookServiceService>;
export type MachineClientsClient = RpcClient<typeof ClientsServiceService>;
export type RolesClient = RpcClient<typeof RolesServiceService>;
export type UsersClient = RpcClient<typeof UsersServiceService>;
export type PrivacyRequestsClient = RpcClient<typeof PrivacyRequestsServiceService>;
export type CatalogClient = RpcClient<typeof CatalogServiceService>;
export type InventoryClient = RpcClient<typeof InventoryServiceService>;
export type CartsClient = RpcClient<typeof CartsServiceService>;
export type OrdersClient = RpcClient<typeof OrdersServiceService>;
export type PaymentsClient = RpcClient<typeof PaymentsServiceService>;

/** How the gateway reaches a service, and as whom. */
export function connection(config: GatewayConfig, service: AuditedService) {
  return { address: config.addresses[service], service, caller: 'gateway', ...config.proof };
}

/** The clients as providers; Nest closes them when the gateway ends. */
export function clientProviders(config: GatewayConfig): Provider[] {
  const to = (service: ServiceName) => connection(config, service);
  return [
    ...identityProviders(to('identity')),
    {
      provide: CATALOG,
      useFactory: () => rpcClient(CatalogServiceService, { ...to('catalog'), idempotent: ['createProduct'] }),
    },
    {
      provide: INVENTORY,
      useFactory: () =>
        rpcClient(InventoryServiceService, { ...to('inventory'), idempotent: ['setStock', 'adjustStock'] }),
    },
    {
      provide: CARTS,
      useFactory: () => rpcClient(CartsServiceService, { ...to('orders'), idempotent: ['holdCart'] }),
    },
    {
      provide: ORDERS,
      useFactory: () =>
        rpcClient(OrdersServiceService, {
          ...to('orders'),
          idempotent: ['placeOrder', 'cancelOrder', 'fulfillOrder', 'claimOrders'],
        }),
    },
    {
      provide: PAYMENTS,
      useFactory: () =>
        rpcClient(PaymentsServiceService, {
          ...to('payments'),
          idempotent: ['capturePayment', 'refundPayment', 'receiveWebhook'],
        }),
    },
  ];
}

type Connection = ReturnType<typeof connection>;

// Of what links in mails do, only the proof of an address says the same twice.
function identityProviders(identity: Connection): Provider[] {
  return [
    {
      provide: IDENTITY,
      useFactory: () => rpcClient(IdentityServiceService, { ...identity, idempotent: ['logout'] }),
    },
    {
      provide: ACCOUNT,
      useFactory: () => rpcClient(AccountServiceService, { ...identity, idempotent: ['updateProfile', 'verifyEmail'] }),
    },
    {
      provide: SESSIONS,
      useFactory: () => rpcClient(SessionsServiceService, { ...identity, idempotent: ['revokeSession'] }),
    },
    {
      provide: PROVIDER_LOGIN,
      useFactory: () => rpcClient(ProviderLoginServiceService, identity),
    },
    {
      provide: SECOND_FACTOR,
      useFactory: () => rpcClient(SecondFactorServiceService, identity),
    },
    {
      provide: ADDRESS_BOOK,
      useFactory: () =>
        rpcClient(AddressBookServiceService, {
          ...identity,
          idempotent: ['addAddress', 'updateAddress', 'deleteAddress'],
        }),
    },
    {
      provide: PRIVACY,
      useFactory: () =>
        rpcClient(PrivacyRequestsServiceService, {
          ...identity,
          idempotent: ['exportMyData', 'exportDataOfPerson', 'resumeErasure'],
        }),
    },
    {
      provide: ROLES,
      useFactory: () => rpcClient(RolesServiceService, { ...identity, idempotent: ['updateRole', 'deleteRole'] }),
    },
    {
      provide: USERS,
      useFactory: () =>
        rpcClient(UsersServiceService, { ...identity, idempotent: ['assignRoles', 'revokeUserSessions'] }),
    },
    {
      provide: MACHINE_CLIENTS,
      useFactory: () =>
        rpcClient(ClientsServiceService, {
          ...identity,
          idempotent: ['issueClientToken', 'revokeClientSecret', 'revokeClient'],
        }),
    },
  ];
}
