import { randomBytes } from 'node:crypto';
import { DomainError } from '@souk/errors';
import { sql } from '@souk/postgres';
import type { SendAccountMailRequest } from '@souk/proto/notifications/v1';
import { createLogger } from '@souk/telemetry';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { UsersStore } from '../accounts/users.store.js';
import { KeyCipher } from '../key-cipher.js';
import { AccountMailWorker } from './account-mail-worker.js';
import { AccountMailsStore, type WantedMail } from './account-mails.store.js';
import { Letters } from './letters.js';

const away = () => new DomainError({ kind: 'unavailable', reason: 'SERVICE_UNAVAILABLE', message: 'away' });

describe('the worker for account mails', () => {
  let postgres: TestDatabase;
  let users: UsersStore;
  let store: AccountMailsStore;
  let worker: AccountMailWorker;
  let asked: SendAccountMailRequest[];
  let answer: (request: SendAccountMailRequest) => void;

  beforeEach(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    [users, store, asked, answer] = [
      new UsersStore(postgres.database),
      new AccountMailsStore(postgres.database),
      [],
      () => {},
    ];
    worker = aWorker();
  });

  afterEach(() => postgres.drop());

  const cipher = new KeyCipher(randomBytes(32).toString('base64'));
  const aWorker = () => {
    const letters = new Letters(users, 'https://shop.example');
    const sendAccountMail = async (request: SendAccountMailRequest) => {
      asked.push(request);
      answer(request);
      return {};
    };
    return new AccountMailWorker(postgres.database, store, letters, cipher, { sendAccountMail }, createLogger('test'));
  };
  const want = (mail: WantedMail) => postgres.database.transaction((tx) => store.want(tx, mail));
  const newUser = (email: string) =>
    postgres.database.transaction((tx) =>
      users.insert(tx, { email, name: 'Ada', roles: ['customer'], passwordHash: 'x' }),
    );
  const own = (userId: string, email: string) => postgres.database.transaction((tx) => users.own(tx, userId, email));
  const letLeasesRunOut = () => postgres.database.query(sql('test.lapse', 'UPDATE account_mails SET due_at = now()'));
  const stored = () =>
    postgres.database.query<{ row: string }>(
      sql(
        'test.mails',
        `SELECT account_mails::text AS row FROM account_mails UNION ALL SELECT proofs::text FROM proofs`,
      ),
    );

  it('sends the same letter under the same identifier until it is taken, and keeps nothing then', async () => {
    const { userId, email } = await newUser('ada@example.com');
    await want({ kind: 'VERIFY_EMAIL', recipient: email, userId });
    answer = () => {
      throw away();
    };
    for (let n = 0; n < 3; n++) {
      await worker.round();
      await letLeasesRunOut();
    }
    answer = () => {};
    await worker.round();
    expect(asked).toHaveLength(4);
    expect(asked.every((request) => JSON.stringify(request) === JSON.stringify(asked[0]))).toBe(true);
    expect(await postgres.database.query(sql('test.left', 'SELECT 1 FROM account_mails'))).toEqual([]);
    expect(await postgres.database.query(sql('test.proofs', 'SELECT 1 FROM proofs'))).toHaveLength(1);
  });

  it('makes one link, also when two have the mail at once', async () => {
    const { userId, email } = await newUser('ada@example.com');
    await want({ kind: 'VERIFY_EMAIL', recipient: email, userId });
    answer = () => {
      throw away();
    };
    const others = [aWorker(), aWorker(), aWorker()];
    await Promise.all(
      others.map(async (other) => {
        await letLeasesRunOut();
        await other.round();
      }),
    );
    answer = () => {};
    await letLeasesRunOut();
    await worker.round();
    expect(new Set(asked.map(({ link }) => link)).size).toBe(1);
    expect(await postgres.database.query(sql('test.proofs', 'SELECT 1 FROM proofs'))).toHaveLength(1);
  });

  it('stores no link that anybody could open', async () => {
    const { userId, email } = await newUser('ada@example.com');
    await want({ kind: 'VERIFY_EMAIL', recipient: email, userId });
    answer = () => {
      throw away();
    };
    await worker.round();
    const token = asked[0]!.link.split('#')[1]!;
    const hex = Buffer.from(token, 'base64url').toString('hex');
    const rows = (await stored()).map(({ row }) => row);
    expect(rows).toHaveLength(2);
    for (const row of rows) for (const secret of [token, hex]) expect(row).not.toContain(secret);
  });

  it('goes on with what a dead worker had, and gives up after a day of tries', async () => {
    await want({ kind: 'PASSWORD_CHANGED', recipient: 'ada@example.com', name: 'Ada' });
    await store.claim(1, 60);
    await worker.round();
    expect(asked).toEqual([]);
    await letLeasesRunOut();
    await worker.round();
    expect(asked).toMatchObject([
      { kind: 'KIND_PASSWORD_CHANGED', recipient: 'ada@example.com', name: 'Ada', link: '' },
    ]);

    await want({ kind: 'PASSWORD_CHANGED', recipient: 'ada@example.com' });
    answer = () => {
      throw away();
    };
    await postgres.database.query(sql('test.tried', 'UPDATE account_mails SET tries = 149'));
    await worker.round();
    expect(await stored()).toEqual([]);
  });

  it('sends nothing that is of no use any more', async () => {
    const [owner, gone, changed] = [
      await newUser('o@example.com'),
      await newUser('g@example.com'),
      await newUser('c@example.com'),
    ];
    for (const { email, userId } of [owner, gone, changed])
      await want({ kind: 'VERIFY_EMAIL', recipient: email, userId });
    await own(owner.userId, owner.email);
    await postgres.database.transaction((tx) => users.delete(tx, gone.userId));
    await own(changed.userId, 'new@example.com');
    await want({ kind: 'RESET_PASSWORD', recipient: 'nobody@example.com' });
    await worker.round();
    expect(asked).toEqual([]);
    expect(await stored()).toEqual([]);
  });

  it('writes to owners at the address as they wrote it themselves', async () => {
    const { userId } = await newUser('Ada@Example.com');
    await own(userId, 'Ada@Example.com');
    await want({ kind: 'RESET_PASSWORD', recipient: 'ADA@example.com' });
    await worker.round();
    expect(asked).toMatchObject([
      { recipient: 'Ada@Example.com', name: 'Ada', kind: 'KIND_RESET_PASSWORD', linkMinutes: 60 },
    ]);
  });
});
