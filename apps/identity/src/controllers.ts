import type { ControllerClass } from '@souk/rpc';
import { AccountGrpc } from './account.grpc.js';
import { AddressBookGrpc } from './address-book.grpc.js';
import { ClientsGrpc } from './clients.grpc.js';
import { IdentityGrpc } from './identity.grpc.js';
import { PrivacyRequestsGrpc } from './privacy-requests.grpc.js';
import { ProviderLoginGrpc } from './provider-login.grpc.js';
import { RolesGrpc } from './roles.grpc.js';
import { SecondFactorGrpc } from './second-factor.grpc.js';
import { SessionsGrpc } from './sessions.grpc.js';
import { UsersGrpc } from './users.grpc.js';

/** What answers the RPCs of this service. */
export const CONTROLLERS: ControllerClass[] = [
  IdentityGrpc,
  AccountGrpc,
  SessionsGrpc,
  SecondFactorGrpc,
  ProviderLoginGrpc,
  AddressBookGrpc,
  RolesGrpc,
  UsersGrpc,
  ClientsGrpc,
  PrivacyRequestsGrpc,
];
