import { sql, uuidv7 } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { eventually, testDatabase, type TestDatabase } from '@souk/testing';
import { newsOfFixture } from '../test/news.js';
import { SmtpServer } from '../test/smtp-server.js';
import { MailWorker } from './mail-worker.js';
import { NotificationsStore } from './notifications.store.js';
import type { NotificationKind } from './order-mail.js';
import { SmtpMailer } from './smtp-mailer.js';

const logger = createLogger('test');

describe('the mail worker', () => {
  let postgres: TestDatabase;
  let store: NotificationsStore;
  let server: SmtpServer;
  let mailer: SmtpMailer;

  beforeEach(async () => {
    postgres = await testDatabase({ migrations: 'apps/notifications/migrations' });
    store = new NotificationsStore(postgres.database);
    server = new SmtpServer();
    mailer = new SmtpMailer(`smtp://127.0.0.1:${await server.listen()}`, 'Souk <orders@souk.local>');
  });

  afterEach(async () => {
    await server.close();
    await postgres.drop();
  });

  const aWorker = (firstPauseSeconds = 0) => new MailWorker({ store, mailer, logger, firstPauseSeconds });

  async function queue(kind: NotificationKind = 'ORDER_CONFIRMED', orderId: string = uuidv7()): Promise<string> {
    await postgres.database.transaction((tx) => store.insert(tx, [newsOfFixture(kind, { orderId })]));
    return orderId;
  }

  const statesOf = async (orderId: string) => (await store.list(orderId)).map(({ state }) => state);
  const letLeasesRunOut = () =>
    postgres.database.query(sql('test.lapse', `UPDATE notifications SET due_at = now() - interval '1 second'`));

  it('writes one mail per order and kind', async () => {
    const orderId = await queue();
    await queue('ORDER_CONFIRMED', orderId);
    await queue('ORDER_FULFILLED', orderId);
    expect((await store.list(orderId)).map(({ kind }) => kind)).toEqual(['ORDER_CONFIRMED', 'ORDER_FULFILLED']);
  });

  it('hands a mail over once and notes when', async () => {
    const orderId = await queue();
    expect(await aWorker().round()).toBe(1);
    expect(await aWorker().round()).toBe(0);
    expect(server.accepted).toHaveLength(1);
    expect(await store.list(orderId)).toMatchObject([{ state: 'SENT', sentAt: expect.any(Date) }]);
  });

  it('shares the mails with other workers', async () => {
    await Promise.all(Array.from({ length: 60 }, () => queue()));
    await Promise.all([aWorker(), aWorker(), aWorker()].map((worker) => worker.round()));
    expect(server.accepted).toHaveLength(60);
    expect(new Set(server.accepted.map((mail) => /Message-ID: (.*)/.exec(mail)?.[1])).size).toBe(60);
  });

  it('tries again when the server was busy (F82)', async () => {
    server.mode = 'busy';
    const orderId = await queue();
    await aWorker().round();
    expect(await statesOf(orderId)).toEqual(['QUEUED']);
    server.mode = 'accept';
    await aWorker().round();
    expect(await statesOf(orderId)).toEqual(['SENT']);
    expect(server.accepted).toHaveLength(1);
  });

  it('waits longer before each further try', async () => {
    server.mode = 'busy';
    await queue();
    await aWorker(60).round();
    expect(await aWorker(60).round()).toBe(0);
    await letLeasesRunOut();
    await aWorker(60).round();
    const [row] = await postgres.database.query<{ pause: number }>(
      sql('test.pause', 'SELECT extract(epoch FROM due_at - now())::float8 AS pause FROM notifications'),
    );
    expect(row!.pause).toBeGreaterThan(100);
    expect(row!.pause).toBeLessThanOrEqual(120);
  });

  it('gives up after the last try', async () => {
    server.mode = 'busy';
    const orderId = await queue();
    for (let tries = 0; tries < 12; tries++) await aWorker().round();
    expect(await statesOf(orderId)).toEqual(['FAILED']);
  });

  it('never repeats a mail that may have arrived (F82)', async () => {
    server.mode = 'cut after content';
    const orderId = await queue();
    await aWorker().round();
    server.mode = 'accept';
    await aWorker().round();
    expect(server.received).toHaveLength(1);
    expect(await statesOf(orderId)).toEqual(['FAILED']);
  });

  it('gives up what a dead worker was handing over', async () => {
    const orderId = await queue();
    const { claim, mails } = await store.claim(1, 60);
    expect(await store.begin(claim, mails[0]!.notificationId, 60)).toBe(true);
    await letLeasesRunOut();
    const worker = aWorker();
    worker.onApplicationBootstrap();
    await eventually(async () => expect(await statesOf(orderId)).toEqual(['FAILED']));
    await worker.onModuleDestroy();
    expect(server.received).toHaveLength(0);
  });

  it('takes over what a dead worker had not begun, and that one may begin no more', async () => {
    const orderId = await queue();
    const { claim, mails } = await store.claim(1, 60);
    await letLeasesRunOut();
    await aWorker().round();
    expect(await statesOf(orderId)).toEqual(['SENT']);
    expect(await store.begin(claim, mails[0]!.notificationId, 60)).toBe(false);
  });

  it('sends nothing to what is no address', async () => {
    const orderId = uuidv7();
    const news = newsOfFixture('ORDER_CONFIRMED', { orderId, email: 'ada@example.com, eve@example.com' });
    await postgres.database.transaction((tx) => store.insert(tx, [news]));
    await aWorker().round();
    expect(await statesOf(orderId)).toEqual(['FAILED']);
    expect(server.received).toHaveLength(0);
  });

  describe('with a mail about an account', () => {
    const link = 'https://shop.example/reset#a-secret-that-lets-in';
    const news = { kind: 'RESET_PASSWORD', name: 'Ada', link, linkMinutes: 60 } as const;
    const stored = async () => {
      const rows = sql('test.stored', 'SELECT state, notifications::text AS written FROM notifications');
      return postgres.database.query<{ state: string; written: string }>(rows);
    };

    it('writes one, however often it is asked for', async () => {
      const requestId = uuidv7();
      await Promise.all([1, 2, 3].map(() => store.insertAccountMail(requestId, 'ada@example.com', news)));
      await aWorker().round();
      await store.insertAccountMail(requestId, 'ada@example.com', news);
      await aWorker().round();
      expect(server.accepted).toHaveLength(1);
      expect(server.accepted[0]).toContain('Subject: Choose a new password');
      expect(server.accepted[0]).toContain(link);
    });

    it.each([
      ['accept', 'SENT'],
      ['refuse content', 'FAILED'],
    ] as const)('forgets what it said when the server does %s', async (mode, state) => {
      await store.insertAccountMail(uuidv7(), 'ada@example.com', news);
      expect((await stored())[0]!.written).toContain('a-secret');
      server.mode = mode;
      await aWorker().round();
      expect(await stored()).toEqual([{ state, written: expect.not.stringContaining('a-secret') }]);
    });

    it('keeps what it says for the next try, and forgets it when a dead worker had begun', async () => {
      await store.insertAccountMail(uuidv7(), 'ada@example.com', news);
      server.mode = 'busy';
      await aWorker().round();
      expect((await stored())[0]!.written).toContain('a-secret');
      const { claim, mails } = await store.claim(1, 60);
      await store.begin(claim, mails[0]!.notificationId, 60);
      await letLeasesRunOut();
      await store.failAbandoned();
      expect(await stored()).toEqual([{ state: 'FAILED', written: expect.not.stringContaining('a-secret') }]);
    });

    it('forgets old ones altogether', async () => {
      await store.insertAccountMail(uuidv7(), 'ada@example.com', news);
      const age = sql('test.age_mails', `UPDATE notifications SET created_at = now() - interval '31 days'`);
      await postgres.database.query(age);
      await store.insertAccountMail(uuidv7(), 'ada@example.com', news);
      expect(await stored()).toHaveLength(1);
    });
  });
});
