// Mails as files, for shops without a mail server. Guarantees: a file is there as a whole or not at all, and a mail that is
// written again replaces itself, since its name is made of the notification alone. Files are not forced to the disk one by
// one, which would cost more than all the rest: a process that dies leaves mails QUEUED and they are written again, but a
// machine that loses its power may lose files of the last seconds whose rows say SENT.
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTransport } from 'nodemailer';
import { compose, type Delivery, type Mailer } from './mailer.js';
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
      await this.write(fileNameOf(mail), message as Buffer);
      return { outcome: 'sent' };
    } catch (error) {
      return { outcome: 'retry', error: error instanceof Error ? error.message : String(error) };
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
export function fileNameOf({ createdAt, news, notificationId }: QueuedMail): string {
  const time = createdAt.toISOString().replace(/[-:.]/g, '');
  const name = 'order' in news ? news.order.number.replace(/[^A-Za-z0-9-]/g, '_').slice(0, 64) : notificationId;
  return `${time}-${news.kind}-${name}.eml`;
}
