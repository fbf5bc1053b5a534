import { decodeEvent } from '@souk/events';
import { sql } from '@souk/postgres';
import { UserRegistered } from '@souk/proto/identity/v1';
import { eventually } from '@souk/testing';
import {
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  PASSWORD,
  passwordHashes,
  refusal,
  toPerson,
  type Replica,
} from './identity-under-test.js';

const ada = { email: 'Ada@Example.com', password: PASSWORD, name: 'Ada' };

describe('registration', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  afterAll(() => identity.tearDown());

  it('makes an account and logs it in', async () => {
    const { user, tokens } = await replica.client.register(ada);
    expect(user).toMatchObject({ email: 'Ada@Example.com', emailVerified: false, name: 'Ada', roles: ['customer'] });
    expect(tokens).toMatchObject({
      accessToken: expect.any(String),
      refreshToken: expect.any(String),
      expiresIn: 900,
    });
  });

  it('tells the others of it, once', async () => {
    const { user } = await replica.client.register({ ...ada, email: 'told@example.com' });
    const { bus } = identity.nats;
    const [stream, subject] = [bus.stream('IDENTITY'), bus.subject('souk.identity.v1.UserRegistered')];
    const told = await eventually(async () => {
      const message = await bus.jsm.streams.getMessage(stream, { last_by_subj: subject });
      const { aggregateId, data } = decodeEvent(message!.header, message!.data);
      expect(aggregateId).toBe(user!.userId);
      return UserRegistered.fromJSON(JSON.parse(data));
    });
    expect(told).toEqual({ userId: user!.userId, email: user!.email, name: 'Ada', registerTime: user!.createTime });
  });

  it('names each wrong field', async () => {
    await expect(replica.client.register({ email: 'x', password: 'short', name: '' })).rejects.toMatchObject({
      kind: 'invalid',
      reason: 'INVALID_ARGUMENT',
      violations: [{ field: 'email' }, { field: 'password' }, { field: 'name' }],
    });
  });

  it('refuses a password that everybody uses', async () => {
    const weak = replica.client.register({ ...ada, email: 'weak@example.com', password: 'password123' });
    await expect(weak).rejects.toMatchObject({ reason: 'PASSWORD_TOO_WEAK', violations: [{ field: 'password' }] });
  });

  it('stores neither password nor refresh token', async () => {
    const { userId, refreshToken } = await newPerson(replica, 'secret@example.com');
    const [stored] = await identity.postgres.database.query<{ row: string }>(
      sql(
        'test.stored',
        `SELECT users::text || sessions::text AS row FROM users JOIN sessions USING (user_id) WHERE user_id = $1`,
      ),
      [userId],
    );
    expect(stored?.row).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    expect(stored?.row).not.toContain(PASSWORD);
    expect(stored?.row).not.toContain(Buffer.from(refreshToken, 'base64url').subarray(16).toString('hex'));
  });

  describe('at an address that has an account', () => {
    it('has the same answer and the same work, and says in the mail what is so', async () => {
      await newOwner(identity, replica, 'Known@example.com');
      const answers = [];
      const work = [];
      for (const email of ['known@example.com', 'unknown@example.com']) {
        const before = await passwordHashes();
        answers.push(shapeOf(await replica.client.register({ ...ada, email })));
        work.push((await passwordHashes()) - before);
      }
      expect(answers[0]).toEqual(answers[1]);
      expect(work).toEqual([1, 1]);
      expect(await identity.mailKinds('unknown@example.com', 1)).toEqual(['VERIFY_EMAIL']);
      // To the address as its owner wrote it.
      expect(await identity.mailKinds('Known@example.com', 2)).toEqual(['VERIFY_EMAIL', 'ACCOUNT_EXISTS']);
      expect(identity.mailsTo('known@example.com')).toEqual([]);
    });

    it('gives the newcomer an account that cannot get at the address nor at the other account', async () => {
      const owner = await newOwner(identity, replica, 'mine@example.com');
      const other = toPerson(
        await replica.client.register({ ...ada, email: 'mine@example.com', password: 'another garden' }),
      );
      expect(other.userId).not.toBe(owner.userId);
      await as(other, () => replica.account.requestEmailVerification({}));
      await identity.mailsSettled();
      const links = identity.mailsTo('mine@example.com').filter(({ kind }) => kind === 'KIND_VERIFY_EMAIL');
      expect(links).toHaveLength(1);
      const { user } = await replica.client.login({ email: 'mine@example.com', password: PASSWORD });
      expect(user).toMatchObject({ userId: owner.userId, emailVerified: true });
    });

    it('says nothing that a stranger wrote in a mail to an address that nobody proved', async () => {
      await replica.client.register({ ...ada, email: 'spam@example.com', name: 'Win at https://evil.example' });
      await identity.mailKinds('spam@example.com', 1);
      expect(identity.mailsTo('spam@example.com')).toMatchObject([{ name: '' }]);
    });
  });

  it('does not bury an address in mail, and answers as ever', async () => {
    for (let n = 0; n < 8; n++) await replica.client.register({ ...ada, email: 'flood@example.com' });
    await identity.mailsSettled();
    expect(identity.mailsTo('flood@example.com')).toHaveLength(4);
  });

  it('keeps nothing of an account whose session could not be opened', async () => {
    const { database } = identity.postgres;
    await database.query(sql('test.close', `ALTER TABLE sessions ADD CONSTRAINT closed CHECK (false) NOT VALID`));
    try {
      expect(await refusal(replica.client.register({ ...ada, email: 'half@example.com' }))).toBeDefined();
    } finally {
      await database.query(sql('test.reopen', 'ALTER TABLE sessions DROP CONSTRAINT closed'));
    }
    const left = sql(
      'test.left',
      `SELECT 1 FROM users WHERE email = $1 UNION ALL SELECT 1 FROM account_mails WHERE recipient = $1
       UNION ALL SELECT 1 FROM outbox WHERE data LIKE '%' || $1 || '%'`,
    );
    expect(await database.query(left, ['half@example.com'])).toEqual([]);
  });
});

/** An answer without what differs from one to the next. */
function shapeOf(answer: object): unknown {
  return JSON.parse(
    JSON.stringify(answer, (key, value: unknown) =>
      ['userId', 'email', 'createTime', 'accessToken', 'refreshToken'].includes(key) ? typeof value : value,
    ),
  );
}
