import { Module, type Type } from '@nestjs/common';
import { connectEvents, EventBus } from '@souk/events';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import type { ServiceOptions } from '@souk/service';
import { createLogger, type Logger } from '@souk/telemetry';
import { AccessTokens } from './access-tokens.js';
import type { IdentityConfig } from './config.js';
import { Connections } from './connections.js';
import { FirstAdmin } from './first-admin.js';
import { IdentityGrpc } from './identity.grpc.js';
import { KeyCipher } from './key-cipher.js';
import { Login } from './login.js';
import { PasswordHasher } from './password-hasher.js';
import { RefreshSession } from './refresh-session.js';
import { Register } from './register.js';
import { SessionsStore } from './sessions.store.js';
import { SigningKeys } from './signing-keys.js';
import { SigningKeysStore } from './signing-keys.store.js';
import { UsersStore } from './users.store.js';

/** What `runService` needs to start identity. The keys that it verifies tokens with are its own. */
export function identityService(config: IdentityConfig): ServiceOptions {
  const logger = createLogger('identity');
  const database = Database.connect({ url: config.databaseUrl, name: 'identity' });
  const signingKeys = new SigningKeys(new SigningKeysStore(database), new KeyCipher(config.keyEncryptionKey));
  return {
    name: 'identity',
    module: identityModule(config, database, signingKeys, logger),
    controllers: [IdentityGrpc],
    host: config.host,
    port: config.port,
    serviceToken: config.serviceToken,
    signingKeys: () => signingKeys.publicKeys(),
    logger,
  };
}

function identityModule(
  config: IdentityConfig,
  database: Database,
  signingKeys: SigningKeys,
  logger: Logger,
): Type<unknown> {
  @Module({
    providers: [
      { provide: Database, useValue: database },
      { provide: SigningKeys, useValue: signingKeys },
      {
        provide: EventBus,
        useFactory: () => connectEvents({ url: config.natsUrl, name: 'identity', logger, prefix: config.eventPrefix }),
      },
      {
        provide: OutboxRelay,
        useFactory: (bus: EventBus) => new OutboxRelay({ database, bus, source: 'identity', logger }),
        inject: [EventBus],
      },
      {
        provide: Connections,
        useFactory: (bus: EventBus, relay: OutboxRelay) => new Connections(database, bus, relay),
        inject: [EventBus, OutboxRelay],
      },
      { provide: UsersStore, useValue: new UsersStore(database) },
      { provide: SessionsStore, useValue: new SessionsStore(database) },
      { provide: AccessTokens, useValue: new AccessTokens(signingKeys) },
      PasswordHasher,
      {
        provide: Register,
        useFactory: (...needs: ConstructorParameters<typeof Register>) => new Register(...needs),
        inject: [UsersStore, SessionsStore, PasswordHasher, AccessTokens, OutboxRelay],
      },
      {
        provide: Login,
        useFactory: (...needs: ConstructorParameters<typeof Login>) => new Login(...needs),
        inject: [UsersStore, SessionsStore, PasswordHasher, AccessTokens],
      },
      {
        provide: RefreshSession,
        useFactory: (users: UsersStore, sessions: SessionsStore, tokens: AccessTokens) =>
          new RefreshSession(users, sessions, tokens, logger),
        inject: [UsersStore, SessionsStore, AccessTokens],
      },
      {
        provide: FirstAdmin,
        useFactory: (users: UsersStore, hasher: PasswordHasher) =>
          new FirstAdmin(users, hasher, logger, config.firstAdmin),
        inject: [UsersStore, PasswordHasher],
      },
      IdentityGrpc,
    ],
  })
  class IdentityModule {}
  return IdentityModule;
}
