import { Module, type Type } from '@nestjs/common';
import type { KeySource } from '@souk/auth';
import { connectEvents, EventBus } from '@souk/events';
import { Database } from '@souk/postgres';
import { identityKeys } from '@souk/rpc';
import { type ServiceOptions } from '@souk/service';
import { createLogger, type Logger } from '@souk/telemetry';
import type { NotificationsConfig } from './config.js';
import { FileMailer } from './file-mailer.js';
import { MailWorker } from './mail-worker.js';
import type { Mailer } from './mailer.js';
import { NotificationsGrpc } from './notifications.grpc.js';
import { NotificationsStore } from './notifications.store.js';
import { OrderConsumers } from './order-consumers.js';
import { SmtpMailer } from './smtp-mailer.js';

/** What `runService` needs to start notifications. */
export function notificationsService(config: NotificationsConfig, signingKeys?: KeySource): ServiceOptions {
  const { host, port, serviceToken, identityAddress: address } = config;
  const logger = createLogger('notifications');
  return {
    name: 'notifications',
    module: notificationsModule(config, logger),
    controllers: [NotificationsGrpc],
    host,
    port,
    serviceToken,
    signingKeys: signingKeys ?? identityKeys({ address, caller: 'notifications', serviceToken }),
    logger,
  };
}

function notificationsModule(config: NotificationsConfig, logger: Logger): Type<unknown> {
  const database = Database.connect({ url: config.databaseUrl, name: 'notifications' });
  const store = new NotificationsStore(database);
  const worker = new MailWorker({ store, mailer: mailerOf(config, logger), logger });
  @Module({
    providers: [
      { provide: Database, useValue: database },
      { provide: NotificationsStore, useValue: store },
      { provide: MailWorker, useValue: worker },
      {
        provide: EventBus,
        useFactory: () =>
          connectEvents({ url: config.natsUrl, name: 'notifications', logger, prefix: config.eventPrefix }),
      },
      {
        provide: OrderConsumers,
        useFactory: (bus: EventBus) => new OrderConsumers(database, bus, store, worker, logger),
        inject: [EventBus],
      },
      NotificationsGrpc,
    ],
  })
  class NotificationsModule {}
  return NotificationsModule;
}

function mailerOf({ smtpUrl, mailDir, mailFrom }: NotificationsConfig, logger: Logger): Mailer {
  if (smtpUrl) return new SmtpMailer(smtpUrl, mailFrom);
  logger.info({ mailDir }, 'no SMTP_URL is set: mails become files');
  return new FileMailer(mailDir, mailFrom);
}
