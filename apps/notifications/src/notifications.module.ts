import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { Database } from '@souk/postgres';
import { Consumers, DataModule, operations } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import type { NotificationsConfig } from './config.js';
import { FileMailer } from './file-mailer.js';
import { MailWorker } from './mail-worker.js';
import type { Mailer } from './mailer.js';
import { notificationsConsumers } from './notifications.consumers.js';
import { NotificationsGrpc } from './notifications.grpc.js';
import { NotificationsStore } from './notifications.store.js';
import { SmtpMailer } from './smtp-mailer.js';

@Module({})
export class NotificationsModule {
  static with(config: NotificationsConfig, logger: Logger): DynamicModule {
    const data = { name: 'notifications', config, logger, publishes: false };
    return {
      module: NotificationsModule,
      imports: [DataModule.with(data)],
      providers: [...parts(config, logger), ...operations(data)],
    };
  }
}

function parts(config: NotificationsConfig, logger: Logger): Provider[] {
  return [
    {
      provide: NotificationsStore,
      inject: [Database],
      useFactory: (database: Database) => new NotificationsStore(database),
    },
    {
      provide: MailWorker,
      inject: [NotificationsStore],
      useFactory: (store: NotificationsStore) => new MailWorker({ store, mailer: mailerOf(config, logger), logger }),
    },
    {
      provide: Consumers,
      inject: [NotificationsStore, Database, EventBus, MailWorker],
      useFactory: (store: NotificationsStore, database: Database, bus: EventBus, worker: MailWorker) =>
        notificationsConsumers(store, { database, bus, logger, wake: () => worker.wake() }),
    },
    NotificationsGrpc,
  ];
}

function mailerOf({ SMTP_URL: url, MAIL_DIR: dir, MAIL_FROM: from }: NotificationsConfig, logger: Logger): Mailer {
  if (url) return new SmtpMailer(url, from);
  logger.info({ mailDir: dir }, 'no SMTP_URL is set: mails become files');
  return new FileMailer(dir, from);
}
