/**
 * What every service that keeps data offers to operators: its own checks and those that hold for all, its dead letters,
 * replays and the rebuild of its stream. The service lists these providers, and OperationsGrpc among its controllers.
 */
import type { Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { DeadLetters } from '@souk/inbox';
import { Checks, deadLettersCheck, OperationsGrpc, outboxStreamCheck, Reconciler } from '@souk/operations';
import { OutboxRelay } from '@souk/outbox';
import { Database } from '@souk/postgres';
import { Consumers } from './consumers.js';
import type { DataOptions } from './data.module.js';
import { optional } from './optional.js';

const SECOND_MS = 1_000;

/** Providers of a service's OperationsService; finds its `Consumers` and `Checks` among the other providers. */
export function operations({ name, config, logger }: DataOptions): Provider[] {
  const every = config.SOUK_RECONCILE_EVERY_SECONDS;
  return [
    {
      provide: DeadLetters,
      inject: [EventBus, optional(Consumers)],
      useFactory: (bus: EventBus, consumers?: Consumers) =>
        new DeadLetters({ bus, logger, service: name, consumers: consumers?.list ?? [] }),
    },
    {
      provide: Reconciler,
      inject: [Database, DeadLetters, optional(OutboxRelay), optional(Checks)],
      useFactory: (database: Database, letters: DeadLetters, relay?: OutboxRelay, own?: Checks) =>
        new Reconciler({
          database,
          logger,
          checks: [...(relay ? [outboxStreamCheck(name, relay)] : []), deadLettersCheck(letters), ...(own?.list ?? [])],
          everyMs: every && every * SECOND_MS,
        }),
    },
    {
      provide: OperationsGrpc,
      inject: [Reconciler, DeadLetters, EventBus, optional(Consumers), optional(OutboxRelay)],
      useFactory: (
        reconciler: Reconciler,
        letters: DeadLetters,
        bus: EventBus,
        consumers?: Consumers,
        relay?: OutboxRelay,
      ) => new OperationsGrpc({ reconciler, letters, bus, relay, consumers: consumers?.list ?? [] }),
    },
  ];
}
