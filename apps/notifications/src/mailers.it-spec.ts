import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { aMail, newsOfFixture } from '../test/news.js';
import { SmtpServer, type SmtpMode } from '../test/smtp-server.js';
import { FileMailer } from './file-mailer.js';
import { isAddress } from './mailer.js';
import { SmtpMailer } from './smtp-mailer.js';

const FROM = 'Souk <orders@souk.local>';

describe('mails as files', () => {
  let dir: string;
  let mailer: FileMailer;

  beforeEach(async () => {
    dir = path.join(await mkdtemp(path.join(tmpdir(), 'souk-mail-')), 'made', 'when-needed');
    mailer = new FileMailer(dir, FROM);
  });

  afterEach(() => rm(path.dirname(path.dirname(dir)), { recursive: true }));

  it('are whole messages, named by time, kind and order', async () => {
    const mail = aMail();
    expect(await mailer.deliver(mail)).toEqual({ outcome: 'sent' });
    expect(await readdir(dir)).toEqual(['20260301T100000123Z-ORDER_CONFIRMED-S7K2-M9QX.eml']);
    const content = await readFile(path.join(dir, '20260301T100000123Z-ORDER_CONFIRMED-S7K2-M9QX.eml'), 'utf8');
    expect(content).toContain('From: Souk <orders@souk.local>\n');
    expect(content).toContain('To: ada@example.com\n');
    expect(content).toContain('Subject: Your order S7K2-M9QX is confirmed\n');
    expect(content).toContain(`Message-ID: <${mail.notificationId}@souk.local>\n`);
    expect(content).toContain('2 x Silver necklace (NECKLACE-SILVER)  $42.99 each, $85.98');
    expect(content).toContain('text/html');
  });

  it('replace themselves when they are written again', async () => {
    const mail = aMail();
    await mailer.deliver(mail);
    await mailer.deliver(mail);
    expect(await readdir(dir)).toHaveLength(1);
  });

  it('stay in their folder, whatever the number of the order is', async () => {
    await mailer.deliver(aMail({ news: newsOfFixture('ORDER_CONFIRMED', { number: '../../etc/x' }) }));
    expect(await readdir(dir)).toEqual(['20260301T100000123Z-ORDER_CONFIRMED-______etc_x.eml']);
  });

  it('are tried again where they cannot be written', async () => {
    const nowhere = new FileMailer('/dev/null/mail', FROM);
    expect(await nowhere.deliver(aMail())).toMatchObject({ outcome: 'retry' });
  });
});

describe('mails by SMTP', () => {
  let server: SmtpServer;
  let port: number;
  const deliver = () => new SmtpMailer(`smtp://127.0.0.1:${port}`, FROM).deliver(aMail());

  beforeEach(async () => {
    server = new SmtpServer();
    port = await server.listen();
  });

  afterEach(() => server.close());

  it('reach the server', async () => {
    expect(await deliver()).toEqual({ outcome: 'sent' });
    expect(server.accepted).toHaveLength(1);
    expect(server.accepted[0]).toContain('Subject: Your order S7K2-M9QX is confirmed\r\n');
  });

  it.each<[SmtpMode, string, number]>([
    ['busy', 'retry', 0],
    ['cut before content', 'retry', 0],
    ['cut after content', 'failed', 1],
    ['refuse recipient', 'failed', 0],
    ['refuse content', 'failed', 1],
  ])('are judged by what the server did: %s means %s', async (mode, outcome, received) => {
    server.mode = mode;
    expect(await deliver()).toMatchObject({ outcome });
    expect(server.received).toHaveLength(received);
  });

  it('are tried again where nobody listens', async () => {
    await server.close();
    expect(await deliver()).toMatchObject({ outcome: 'retry' });
    await server.listen();
  });

  it.each(['', 'x', 'a@b, c@d', 'a@b\r\nRCPT TO:<c@d>', '<a@b>', 'A <a@b>'])('are not addressed to %j', (recipient) => {
    expect(isAddress(recipient)).toBe(false);
  });
});
