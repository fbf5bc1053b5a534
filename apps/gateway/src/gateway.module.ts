import { Module, type DynamicModule } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { TokenVerifier } from '@souk/auth';
import { Broadcast } from '@souk/events';
import { identityKeys } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import { AuditClients } from './audit-clients.js';
import { clientProviders, connection } from './clients.js';
import type { GatewayConfig } from './config.js';
import { AccessGuard, Routes } from './http/access.js';
import { AccountController } from './http/account.controller.js';
import { AddressesController } from './http/addresses.controller.js';
import { AuditController } from './http/audit.controller.js';
import { AuthController } from './http/auth.controller.js';
import { StockReader } from './http/availability.js';
import { CartsController } from './http/carts.controller.js';
import { GuestOrdersController } from './http/guest-orders.controller.js';
import { ImportsController } from './http/imports.controller.js';
import { MachineClientsController } from './http/machine-clients.controller.js';
import { OAuthController } from './http/oauth.controller.js';
import { OperationsController } from './http/operations.controller.js';
import { OrderStreams } from './http/order-stream.js';
import { OrdersController } from './http/orders.controller.js';
import { PaymentsController } from './http/payments.controller.js';
import { PrivacyController } from './http/privacy.controller.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ProductsController } from './http/products.controller.js';
import { RolesController } from './http/roles.controller.js';
import { ProviderLoginController } from './http/provider-login.controller.js';
import { SecondFactorController } from './http/second-factor.controller.js';
import { RefusalRecords } from './http/refusal-records.js';
import { SessionsController } from './http/sessions.controller.js';
import { SigningKeysController } from './http/signing-keys.controller.js';
import { StockController } from './http/stock.controller.js';
import { SystemController } from './http/system.controller.js';
import { UsersController } from './http/users.controller.js';
import { ValidationPipe } from './http/validation.pipe.js';
import { RateLimits } from './rate-limits/rate-limits.js';
import { SharedUsage } from './rate-limits/shared-usage.js';
import { ReadinessCheck } from './readiness.js';
import { SystemView } from './system.js';
import { CONFIG, LOGGER } from './tokens.js';

@Module({})
export class GatewayModule {
  static with(config: GatewayConfig, logger: Logger): DynamicModule {
    return {
      module: GatewayModule,
      imports: [DiscoveryModule],
      controllers: [
        AuthController,
        AccountController,
        PrivacyController,
        AddressesController,
        SessionsController,
        OAuthController,
        UsersController,
        RolesController,
        MachineClientsController,
        SigningKeysController,
        SecondFactorController,
        ProviderLoginController,
        ProductsController,
        ImportsController,
        StockController,
        CartsController,
        OrdersController,
        GuestOrdersController,
        PaymentsController,
        AuditController,
        OperationsController,
        SystemController,
      ],
      providers: [
        { provide: CONFIG, useValue: config },
        { provide: LOGGER, useValue: logger },
        { provide: TokenVerifier, useFactory: () => new TokenVerifier(identityKeys(connection(config, 'identity'))) },
        { provide: SystemView, useFactory: () => new SystemView(config, logger) },
        { provide: Broadcast, useFactory: () => broadcast(config, logger) },
        {
          provide: SharedUsage,
          inject: [Broadcast],
          useFactory: (others: Broadcast) => new SharedUsage(others, config.rateLimitSecret),
        },
        {
          provide: RateLimits,
          inject: [SharedUsage],
          useFactory: (usage: SharedUsage) => new RateLimits(config, usage),
        },
        { provide: APP_GUARD, useClass: AccessGuard },
        { provide: APP_PIPE, useClass: ValidationPipe },
        ProblemFilter,
        { provide: APP_FILTER, useExisting: ProblemFilter },
        ...clientProviders(config),
        AuditClients,
        RefusalRecords,
        OrderStreams,
        ReadinessCheck,
        Routes,
        StockReader,
      ],
    };
  }
}

/** What replicas tell each other; the gateway serves without it, and is ready without it. */
function broadcast({ natsUrl: url, natsPrefix: prefix }: GatewayConfig, logger: Logger): Broadcast {
  return new Broadcast({ url, prefix, name: 'gateway', logger });
}
