import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { sql, uuidv7 } from '@souk/postgres';
import { createLogger } from '@souk/telemetry';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { newsOfFixture } from '../../test/news.js';
import { FileMailer } from '../file-mailer.js';
import { MailWorker } from '../mail-worker.js';
import { NotificationsStore } from '../notifications.store.js';
import { PersonalMails } from './personal-mails.js';
import { PersonalMailsStore } from './personal-mails.store.js';

const EVERYTHING = sql('test.everything', 'SELECT n::text AS text FROM notifications AS n');

let postgres: TestDatabase;
let store: NotificationsStore;
let personal: PersonalMails;
let worker: MailWorker;
let dir: string;

beforeEach(async () => {
  postgres = await testDatabase({ migrations: 'apps/notifications/migrations' });
  dir = await mkdtemp(path.join(tmpdir(), 'souk-mail-'));
  store = new NotificationsStore(postgres.database);
  const mailer = new FileMailer(dir, 'Souk <orders@souk.local>');
  personal = new PersonalMails(new PersonalMailsStore(postgres.database), mailer);
  worker = new MailWorker({ store, mailer, logger: createLogger('test') });
});
afterEach(async () => {
  await postgres.drop();
  await rm(dir, { recursive: true });
});

const subject = (change: object) => ({
  subjectId: randomUUID(),
  email: '',
  emailOwned: false,
  orderIds: [],
  ...change,
});

async function mailAbout(orderId: string): Promise<void> {
  await postgres.database.transaction((tx) =>
    store.insert(tx, [newsOfFixture('ORDER_CONFIRMED', { orderId, number: orderId.slice(-9) })]),
  );
}

async function everything(): Promise<string> {
  const rows = await postgres.database.query<{ text: string }>(EVERYTHING);
  return [...rows.map(({ text }) => text), ...(await readdir(dir))].join('\n');
}

it('erases mails about orders with their files, also half-written ones (I19)', async () => {
  const [mine, other] = [uuidv7(), uuidv7()];
  await mailAbout(mine);
  await worker.round();
  const [file = ''] = await readdir(dir);
  await writeFile(path.join(dir, `.${file}.4711`), 'To: ada@example.com');
  await mailAbout(other);
  await worker.round();

  const answer = await personal.erase(subject({ orderIds: [mine] }));

  expect(answer).toMatchObject({ pending: 0, treatments: [{ what: 'mails', count: 1 }] });
  expect((await everything()).match(/ada@example\.com/g)).toHaveLength(2);
  expect((await readdir(dir)).some((name) => name.includes(file))).toBe(false);
  expect(await personal.erase(subject({ orderIds: [mine] }))).toEqual(answer);
});

it('sends no second mail about an order whose mail was erased', async () => {
  const orderId = uuidv7();
  await mailAbout(orderId);
  await worker.round();
  await personal.erase(subject({ orderIds: [orderId] }));
  await mailAbout(orderId);
  expect(await worker.round()).toBe(0);
});

it('waits for a mail that is still to go out', async () => {
  const orderId = uuidv7();
  await mailAbout(orderId);
  expect(await personal.erase(subject({ orderIds: [orderId] }))).toMatchObject({ pending: 1 });
  expect(await worker.round()).toBe(1);
  expect(await personal.erase(subject({ orderIds: [orderId] }))).toMatchObject({ pending: 0 });
});

it('erases mails about the account by its address, and no mail to anybody else', async () => {
  const news = { kind: 'PASSWORD_CHANGED', name: 'Ada', link: '', linkMinutes: 0 } as const;
  await store.insertAccountMail(randomUUID(), 'Ada@Example.com', news);
  await store.insertAccountMail(randomUUID(), 'eve@example.com', news);
  await worker.round();
  expect(await readdir(dir)).toHaveLength(2);

  await personal.erase(subject({ email: 'ada@example.com', emailOwned: true }));

  expect(await readdir(dir)).toHaveLength(1);
  expect(await everything()).not.toMatch(/ada@example/i);
  expect(await everything()).toContain('eve@example.com');
});

it('exports mails to an address only where it is proved', async () => {
  await store.insertAccountMail(randomUUID(), 'ada@example.com', {
    kind: 'PASSWORD_CHANGED',
    name: 'Ada',
    link: '',
    linkMinutes: 0,
  });
  expect((await personal.export(subject({ email: 'ada@example.com' }))).records).toEqual([]);
  expect((await personal.export(subject({ email: 'ada@example.com', emailOwned: true }))).records).toHaveLength(1);
});
