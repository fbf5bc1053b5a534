import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { proofOf } from '@souk/config';
import { EventBus } from '@souk/events';
import { Checks } from '@souk/operations';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { NotificationsServiceService } from '@souk/proto/notifications/v1';
import { PrivacyServiceService } from '@souk/proto/privacy/v1';
import { rpcClient } from '@souk/rpc';
import { DataModule, operations } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { ConfirmEmailChange } from './accounts/confirm-email-change.js';
import { DeleteAccount } from './accounts/delete-account.js';
import { FirstAdmin } from './accounts/first-admin.js';
import { Register } from './accounts/register.js';
import { RequestEmailChange } from './accounts/request-email-change.js';
import { RequestEmailVerification } from './accounts/request-email-verification.js';
import { UsersStore } from './accounts/users.store.js';
import { VerifyEmail } from './accounts/verify-email.js';
import { AddressesStore } from './address-book/addresses.store.js';
import { AttemptsStore } from './attempts/attempts.store.js';
import { Background } from './background.js';
import { ClientsStore } from './clients/clients.store.js';
import type { FirstAdminAccount, IdentityConfig } from './config.js';
import { CONTROLLERS } from './controllers.js';
import { AdmitStaff } from './federation/admit-staff.js';
import { IdentityProvider } from './federation/identity-provider.js';
import { LogInByProvider } from './federation/log-in-by-provider.js';
import type { ProviderConfig } from './federation/provider-config.js';
import { ProviderLoginsStore } from './federation/provider-logins.store.js';
import { Housekeeping } from './housekeeping.js';
import { KeyCipher } from './key-cipher.js';
import { made, token } from './made.js';
import { AccountMailWorker, type NotificationsClient } from './mails/account-mail-worker.js';
import { AccountMailsStore } from './mails/account-mails.store.js';
import { Letters } from './mails/letters.js';
import { MailRequests } from './mails/mail-requests.js';
import { ChangePassword } from './passwords/change-password.js';
import { ConfirmPassword } from './passwords/confirm-password.js';
import { NewPassword } from './passwords/new-password.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { RequestPasswordReset } from './passwords/request-password-reset.js';
import { ResetPassword } from './passwords/reset-password.js';
import { Certificates } from './privacy/certificate.js';
import { ErasePerson } from './privacy/erase-person.js';
import { erasuresCheck } from './privacy/erasures.check.js';
import { ErasuresStore } from './privacy/erasures.store.js';
import { ErasureWorker } from './privacy/erasure-worker.js';
import { ExportPerson } from './privacy/export-person.js';
import { KEEPERS, Neighbours, type Keeper, type PrivacyClient } from './privacy/neighbours.js';
import { OwnData } from './privacy/own-data.js';
import { RequestErasure } from './privacy/request-erasure.js';
import { AssignRoles } from './roles/assign-roles.js';
import { PresentAuthority } from './roles/present-authority.js';
import { RolesStore } from './roles/roles.store.js';
import { ChallengesStore } from './second-factor/challenges.store.js';
import { CheckCode } from './second-factor/check-code.js';
import { Enrol } from './second-factor/enrol.js';
import { ChangeSecondFactor } from './second-factor/change-second-factor.js';
import { SecondFactorsStore } from './second-factor/second-factors.store.js';
import { CompleteLogin } from './sessions/complete-login.js';
import { Login } from './sessions/login.js';
import { OpenSession } from './sessions/open-session.js';
import { RefreshSession } from './sessions/refresh-session.js';
import { SessionsStore } from './sessions/sessions.store.js';
import { AccessTokens, type StaffPolicy } from './tokens/access-tokens.js';
import { KeyRotation } from './tokens/key-rotation.js';
import { SigningKeys } from './tokens/signing-keys.js';
import { SigningKeysStore } from './tokens/signing-keys.store.js';

const LOGGER = token<Logger>('logger');
const NOTIFICATIONS = token<NotificationsClient>('notifications');
const SHOP_URL = token<string>('shop url');
const SHOP_HOST = token<string>('host of the shop');
const PROVIDER = token<ProviderConfig | undefined>('identity provider');
const PROVIDER_KEY = token<Buffer>('key of log-ins by the provider');
const STAFF_POLICY = token<StaffPolicy>('what is asked of staff');
const FIRST_ADMIN = token<FirstAdminAccount | undefined>('first admin');
const KEY_ROTATION_DAYS = token<number>('days of a signing key');
const REFRESH_KEY = token<Buffer>('key of refresh tokens');
const RECOVERY_KEY = token<Buffer>('key of recovery codes');
const SETTLE_SECONDS = token<number>('seconds until an erasure may end');
const ATTEMPTS_KEY = token<Buffer>('key of attempts');

@Module({})
export class IdentityModule {
  static with(config: IdentityConfig, logger: Logger): DynamicModule {
    const data = { name: 'identity', config, logger };
    return {
      module: IdentityModule,
      imports: [DataModule.with(data)],
      providers: [
        ...given(config, logger),
        ...stores,
        ...sessions,
        ...mails,
        ...accounts,
        ...secondFactor,
        ...federation,
        ...roles,
        ...privacy,
        ...CONTROLLERS,
        ...operations(data),
      ],
    };
  }
}

/** What comes from the configuration. */
function given(config: IdentityConfig, logger: Logger): Provider[] {
  const cipher = new KeyCipher(config.SOUK_KEY_ENCRYPTION_KEY);
  const client = {
    caller: 'identity',
    ...proofOf(config),
    idempotent: ['sendAccountMail'] as const,
  };
  return [
    { provide: KeyCipher, useValue: cipher },
    { provide: REFRESH_KEY, useValue: cipher.derive('refresh tokens') },
    { provide: RECOVERY_KEY, useValue: cipher.derive('recovery codes') },
    { provide: ATTEMPTS_KEY, useValue: cipher.derive('attempts') },
    { provide: LOGGER, useValue: logger },
    { provide: SHOP_URL, useValue: config.SOUK_SHOP_URL },
    { provide: SHOP_HOST, useValue: new URL(config.SOUK_SHOP_URL).host },
    { provide: STAFF_POLICY, useValue: policyOf(config) },
    { provide: PROVIDER, useValue: config.provider },
    { provide: PROVIDER_KEY, useValue: cipher.derive('log-ins by the provider') },
    { provide: KEY_ROTATION_DAYS, useValue: config.SOUK_KEY_ROTATION_DAYS },
    { provide: SETTLE_SECONDS, useValue: config.SOUK_ERASURE_SETTLE_SECONDS },
    { provide: Neighbours, useFactory: () => neighbours(config) },
    { provide: FIRST_ADMIN, useValue: config.firstAdmin },
    {
      provide: NOTIFICATIONS,
      useFactory: () =>
        rpcClient(NotificationsServiceService, { ...client, address: config.SOUK_NOTIFICATIONS_ADDRESS }),
    },
  ];
}

function neighbours(config: IdentityConfig): Neighbours {
  const addresses: Record<Keeper, string> = {
    orders: config.SOUK_ORDERS_ADDRESS,
    payments: config.SOUK_PAYMENTS_ADDRESS,
    notifications: config.SOUK_NOTIFICATIONS_ADDRESS,
  };
  const client = (service: Keeper): PrivacyClient =>
    rpcClient(PrivacyServiceService, {
      caller: 'identity',
      service,
      address: addresses[service],
      ...proofOf(config),
      idempotent: ['exportPersonalData', 'erasePersonalData'],
    });
  const entries = KEEPERS.map((service) => [service, client(service)] as const);
  return new Neighbours(Object.fromEntries(entries) as Record<Keeper, PrivacyClient>);
}

function policyOf(config: IdentityConfig): StaffPolicy {
  return {
    secondFactorRequired: config.SOUK_STAFF_SECOND_FACTOR === 'required',
    passwordRefused: config.SOUK_STAFF_PASSWORD_LOGIN === 'refused',
  };
}

const stores: Provider[] = [
  made(UsersStore, Database),
  made(AddressesStore, Database),
  made(AccountMailsStore, Database),
  made(RolesStore, Database),
  made(ClientsStore, Database),
  made(SigningKeysStore, Database),
  made(SessionsStore, Database, REFRESH_KEY),
  made(AttemptsStore, Database, ATTEMPTS_KEY),
  made(SecondFactorsStore, Database, KeyCipher, RECOVERY_KEY),
  made(ChallengesStore, Database),
  made(ProviderLoginsStore, Database, PROVIDER_KEY),
];

const sessions: Provider[] = [
  made(SigningKeys, SigningKeysStore, KeyCipher),
  made(KeyRotation, SigningKeys, SigningKeysStore, LOGGER, KEY_ROTATION_DAYS),
  made(AccessTokens, SigningKeys, RolesStore, STAFF_POLICY),
  made(OpenSession, SessionsStore, AccessTokens),
  made(Login, Database, UsersStore, AttemptsStore, PasswordHasher, OpenSession, SecondFactorsStore, ChallengesStore),
  made(CompleteLogin, Database, UsersStore, ChallengesStore, CheckCode, AttemptsStore, OpenSession, Background),
  made(RefreshSession, Database, UsersStore, SessionsStore, AccountMailsStore, AccessTokens, LOGGER),
];

const mails: Provider[] = [
  made(Letters, UsersStore, SHOP_URL),
  made(AccountMailWorker, Database, AccountMailsStore, Letters, KeyCipher, NOTIFICATIONS, LOGGER),
  made(MailRequests, Database, AttemptsStore, AccountMailsStore, AccountMailWorker),
  made(Background, OutboxRelay, AccountMailWorker),
];

const accounts: Provider[] = [
  PasswordHasher,
  made(ConfirmPassword, UsersStore, AttemptsStore, PasswordHasher),
  made(NewPassword, UsersStore, SessionsStore, AccountMailsStore),
  made(ChangePassword, Database, ConfirmPassword, PasswordHasher, NewPassword, Background),
  made(RequestPasswordReset, MailRequests),
  made(ResetPassword, Database, UsersStore, PasswordHasher, NewPassword, AttemptsStore, Background),
  made(Register, Database, UsersStore, PasswordHasher, OpenSession, MailRequests, Background),
  made(RequestEmailVerification, UsersStore, MailRequests),
  made(VerifyEmail, Database, UsersStore, Background),
  made(RequestEmailChange, Database, UsersStore, ConfirmPassword, CheckCode, MailRequests),
  made(ConfirmEmailChange, Database, UsersStore, AccountMailsStore, Background),
  made(DeleteAccount, Database, UsersStore, ConfirmPassword, CheckCode, RequestErasure),
  made(FirstAdmin, Database, UsersStore, PasswordHasher, LOGGER, FIRST_ADMIN),
  made(Housekeeping, Database, UsersStore, AttemptsStore, ErasuresStore, LOGGER),
];

const secondFactor: Provider[] = [
  made(CheckCode, SecondFactorsStore, AttemptsStore, AccountMailsStore),
  made(
    Enrol,
    Database,
    UsersStore,
    SessionsStore,
    SecondFactorsStore,
    ConfirmPassword,
    CheckCode,
    AccountMailsStore,
    Background,
    SHOP_HOST,
  ),
  made(
    ChangeSecondFactor,
    Database,
    UsersStore,
    SessionsStore,
    SecondFactorsStore,
    ConfirmPassword,
    CheckCode,
    AccountMailsStore,
    Background,
    LOGGER,
  ),
];

const federation: Provider[] = [
  made(IdentityProvider, PROVIDER, LOGGER),
  made(
    AdmitStaff,
    Database,
    UsersStore,
    RolesStore,
    SessionsStore,
    ProviderLoginsStore,
    OpenSession,
    PasswordHasher,
    Background,
    LOGGER,
  ),
  made(LogInByProvider, IdentityProvider, ProviderLoginsStore, AdmitStaff, AttemptsStore),
];

const roles: Provider[] = [
  made(PresentAuthority, UsersStore, RolesStore, ClientsStore),
  made(AssignRoles, Database, UsersStore, RolesStore, LOGGER),
];

const privacy: Provider[] = [
  made(ErasuresStore, Database, KeyCipher, SETTLE_SECONDS),
  made(OwnData, Database, EventBus),
  made(ErasePerson, ErasuresStore, OwnData, Neighbours),
  made(Certificates, SigningKeys),
  made(ErasureWorker, ErasuresStore, ErasePerson, Certificates, LOGGER, SETTLE_SECONDS),
  made(RequestErasure, Database, UsersStore, AccountMailsStore, ErasuresStore, ErasureWorker, Background),
  made(ExportPerson, OwnData, Neighbours),
  {
    provide: Checks,
    inject: [ErasuresStore],
    useFactory: (erasures: ErasuresStore) => new Checks([erasuresCheck(erasures)]),
  },
];
