import { Module, type DynamicModule, type Provider } from '@nestjs/common';
import { EventBus } from '@souk/events';
import { Database } from '@souk/postgres';
import { PersonalData, PrivacyGrpc } from '@souk/privacy';
import { Consumers, DataModule, operations } from '@souk/service';
import type { Logger } from '@souk/telemetry';
import type { NotificationsConfig } from './config.js';
import { FileMailer } from './file-mailer.js';
import { MailWorker } from './mail-worker.js';
import type { Mailer } from './mailer.js';
import { notificationsConsumers } from './notifications.consumers.js';
import { NotificationsGrpc } from './notifications.grpc.js';
import { NotificationsStore } from './notifications.store.js';
import { PersonalMails } from './privacy/personal-mails.js';
import { PersonalMailsStore } from './privacy/personal-mails.store.js';
import { SmtpMailer } from './smtp-mailer.js';

const MAILER = Symbol('mailer');

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
    { provide: MAILER, useFactory: () => mailerOf(config, logger) },
    {
      provide: MailWorker,
      inject: [NotificationsStore, MAILER],
      useFactory: (store: NotificationsStore, mailer: Mailer) => new MailWorker({ store, mailer, logger }),
    },
    {
      provide: PersonalData,
      inject: [Database, MAILER],
      useFactory: (database: Database, mailer: Mailer) => new PersonalMails(new PersonalMailsStore(database), mailer),
    },
    {
      provide: PrivacyGrpc,
      inject: [PersonalData],
      useFactory: (data: PersonalData) => new PrivacyGrpc(data),
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
