import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { DataModule } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import { AccessTokens } from './tokens/access-tokens.js';
import type { IdentityConfig } from './config.js';
import { FirstAdmin } from './accounts/first-admin.js';
import { IdentityGrpc } from './identity.grpc.js';
import { KeyCipher } from './key-cipher.js';
import { Login } from './sessions/login.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { RefreshSession } from './sessions/refresh-session.js';
import { Register } from './accounts/register.js';
import { SessionsStore } from './sessions/sessions.store.js';
import { SigningKeys } from './tokens/signing-keys.js';
import { SigningKeysStore } from './tokens/signing-keys.store.js';
import { UsersStore } from './accounts/users.store.js';

@Module({})
export class IdentityModule {
  static with(config: IdentityConfig, logger: Logger): DynamicModule {
    return {
      module: IdentityModule,
      imports: [DataModule.with({ name: 'identity', config, logger })],
      providers: parts(config, logger),
    };
  }
}

function parts(config: IdentityConfig, logger: Logger): Provider[] {
  return [
    {
      provide: SigningKeys,
      inject: [Database],
      useFactory: (database: Database) =>
        new SigningKeys(new SigningKeysStore(database), new KeyCipher(config.SOUK_KEY_ENCRYPTION_KEY)),
    },
    {
      provide: UsersStore,
      inject: [Database],
      useFactory: (database: Database) => new UsersStore(database),
    },
    {
      provide: SessionsStore,
      inject: [Database],
      useFactory: (database: Database) => new SessionsStore(database),
    },
    {
      provide: AccessTokens,
      inject: [SigningKeys],
      useFactory: (keys: SigningKeys) => new AccessTokens(keys),
    },
    PasswordHasher,
    {
      provide: Register,
      inject: [UsersStore, SessionsStore, PasswordHasher, AccessTokens, OutboxRelay],
      useFactory: (...needs: ConstructorParameters<typeof Register>) => new Register(...needs),
    },
    {
      provide: Login,
      inject: [UsersStore, SessionsStore, PasswordHasher, AccessTokens],
      useFactory: (...needs: ConstructorParameters<typeof Login>) => new Login(...needs),
    },
    {
      provide: RefreshSession,
      inject: [UsersStore, SessionsStore, AccessTokens],
      useFactory: (users: UsersStore, sessions: SessionsStore, tokens: AccessTokens) =>
        new RefreshSession(users, sessions, tokens, logger),
    },
    {
      provide: FirstAdmin,
      inject: [UsersStore, PasswordHasher],
      useFactory: (users: UsersStore, hasher: PasswordHasher) =>
        new FirstAdmin(users, hasher, logger, config.firstAdmin),
    },
    IdentityGrpc,
  ];
}
