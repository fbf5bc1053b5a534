// Mails as files, for shops without a mail server. Guarantees: a file is there as a whole or not at all, and a mail that is
// written again replaces itself, since its name is made of the notification alone. Files are not forced to the disk one by
// one, which would cost more than all the rest: a process that dies leaves mails QUEUED and they are written again, but a
// machine that loses its power may lose files of the last seconds whose rows say SENT.
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTransport } from 'nodemailer';
import { compose, type DeliveredMail, type Delivery, type Mailer } from './mailer.js';
import type { QueuedMail } from './notifications.store.js';

export class FileMailer implements Mailer {
  readonly repeatable = true;
  private readonly composer = createTransport({ streamTransport: true, buffer: true, newline: 'unix' });

  constructor(
    private readonly dir: string,
    private readonly from: string,
  ) {}

  async deliver(mail: QueuedMail): Promise<Delivery> {
    try {
      const { message } = await this.composer.sendMail(compose(mail, this.from));
      await this.write(fileNameOf(knownBy(mail)), message as Buffer);
      return { outcome: 'sent' };
    } catch (error) {
      return { outcome: 'retry', error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** With the drafts of processes that died. */
  async forget(mails: readonly DeliveredMail[]): Promise<void> {
    if (mails.length === 0) return;
    const names = new Set(mails.map(fileNameOf));
    for (const name of await readdir(this.dir).catch(noFolder)) {
      const [, ofDraft] = /^\.(.+)\.\d+$/.exec(name) ?? [];
      if (names.has(ofDraft ?? name)) await rm(path.join(this.dir, name), { force: true });
    }
  }

  private async write(name: string, content: Buffer): Promise<void> {
    const draft = path.join(this.dir, `.${name}.${process.pid}`);
    try {
      await writeFile(draft, content);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      await mkdir(this.dir, { recursive: true });
      await writeFile(draft, content);
    }
    await rename(draft, path.join(this.dir, name));
  }
}

/** `<time>-<kind>-<order number or identifier>.eml`: sorts by time and is the same for the same mail. */
export function fileNameOf({ createdAt, kind, orderNumber, notificationId }: DeliveredMail): string {
  const time = createdAt.toISOString().replace(/[-:.]/g, '');
  const name = orderNumber?.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 64) ?? notificationId;
  return `${time}-${kind}-${name}.eml`;
}

function knownBy({ notificationId, createdAt, news }: QueuedMail): DeliveredMail {
  return { notificationId, createdAt, kind: news.kind, orderNumber: 'order' in news ? news.order.number : undefined };
}

function noFolder(error: NodeJS.ErrnoException): string[] {
  if (error.code === 'ENOENT') return [];
  throw error;
}
