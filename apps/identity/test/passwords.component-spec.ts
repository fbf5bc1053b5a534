import { sql } from '@souk/postgres';
import {
  ADMIN,
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  PASSWORD,
  refusal,
  toPerson,
  type Person,
  type Replica,
} from './identity-under-test.js';

const NEW_PASSWORD = 'a garden full of noise';
const LINK_INVALID = { kind: 'refused', reason: 'LINK_INVALID' };

describe('passwords', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  afterAll(() => identity.tearDown());

  const login = (email: string, password: string) => replica.client.login({ email, password });
  const refresh = ({ refreshToken }: Person) => replica.client.refreshSession({ refreshToken });
  const reset = (token: string, password = NEW_PASSWORD) => replica.client.resetPassword({ token, password });

  async function resetToken(email: string): Promise<string> {
    await replica.client.requestPasswordReset({ email });
    return identity.linkToken(email, 'RESET_PASSWORD');
  }

  describe('that were forgotten', () => {
    it('are replaced by the link of a mail, once, and end all sessions', async () => {
      const owner = await newOwner(identity, replica, 'forgot@example.com');
      const token = await resetToken('forgot@example.com');
      await reset(token);
      await expect(refresh(owner)).rejects.toMatchObject({ reason: 'SESSION_ENDED' });
      expect(await refusal(login(owner.email, PASSWORD))).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
      await expect(login(owner.email, NEW_PASSWORD)).resolves.toBeDefined();
      expect(await refusal(reset(token))).toMatchObject(LINK_INVALID);
      expect(await identity.mailKinds(owner.email, 3)).toEqual(['VERIFY_EMAIL', 'RESET_PASSWORD', 'PASSWORD_CHANGED']);
    });

    it('are asked for with the same answer wherever there is an account or none, and mails go to owners alone', async () => {
      await newOwner(identity, replica, 'Asked@example.com');
      await newPerson(replica, 'unproved@example.com');
      for (const email of ['asked@EXAMPLE.com', 'unproved@example.com', 'nobody@example.com', 'nonsense']) {
        expect(await replica.client.requestPasswordReset({ email })).toEqual({});
      }
      await identity.mailsSettled();
      expect(identity.mailsTo('Asked@example.com').map(({ kind }) => kind)).toContain('KIND_RESET_PASSWORD');
      expect(identity.mailsTo('unproved@example.com').map(({ kind }) => kind)).toEqual(['KIND_VERIFY_EMAIL']);
      expect([identity.mailsTo('asked@EXAMPLE.com'), identity.mailsTo('nobody@example.com')]).toEqual([[], []]);
    });

    it('take a good password alone, and the link still works after a bad one', async () => {
      await newOwner(identity, replica, 'picky@example.com');
      const token = await resetToken('picky@example.com');
      expect(await refusal(reset(token, 'short'))).toMatchObject({ violations: [{ field: 'password' }] });
      expect(await refusal(reset(token, 'password123'))).toMatchObject({ reason: 'PASSWORD_TOO_WEAK' });
      await expect(reset(token)).resolves.toEqual({});
    });

    it('are replaced once when the link is used twice at once', async () => {
      await newOwner(identity, replica, 'twice@example.com');
      const token = await resetToken('twice@example.com');
      const results = await Promise.allSettled([reset(token, 'the first garden'), reset(token, 'the second garden')]);
      expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it.each([
      ['has ended', `UPDATE proofs SET expires_at = now()`],
      ['was made for something else', `UPDATE proofs SET purpose = 'CHANGE_EMAIL' WHERE purpose = 'RESET_PASSWORD'`],
    ])('are not replaced by a link that %s', async (name, change) => {
      await newOwner(identity, replica, `link-${name.length}@example.com`);
      const token = await resetToken(`link-${name.length}@example.com`);
      await identity.postgres.database.query(sql(`test.${name.replaceAll(' ', '_')}`, change));
      expect(await refusal(reset(token))).toMatchObject(LINK_INVALID);
    });

    it.each(['', 'nonsense', 'A'.repeat(43)])('are not replaced by %j', async (token) => {
      expect(await refusal(reset(token))).toMatchObject(LINK_INVALID);
    });

    it('unlock who was locked out by the guesses of others', async () => {
      const { email } = await newOwner(identity, replica, 'locked@example.com');
      for (let n = 0; n < 5; n++) await refusal(login(email, 'not this one'));
      await reset(await resetToken(email));
      await expect(login(email, NEW_PASSWORD)).resolves.toBeDefined();
    });

    it('bury nobody in mail', async () => {
      const { email } = await newOwner(identity, replica, 'buried@example.com');
      for (let n = 0; n < 8; n++) await replica.client.requestPasswordReset({ email });
      await identity.mailsSettled();
      expect(identity.mailsTo(email)).toHaveLength(4);
    });
  });

  describe('that are changed', () => {
    const change = (person: Person, password: string, newPassword = NEW_PASSWORD) =>
      as(person, () => replica.account.changePassword({ password, newPassword }));

    it('end all other sessions and void links that are on their way', async () => {
      const owner = await newOwner(identity, replica, 'change@example.com');
      const other = toPerson(await login(owner.email, PASSWORD));
      const token = await resetToken(owner.email);
      await change(owner, PASSWORD);
      await expect(refresh(other)).rejects.toMatchObject({ reason: 'SESSION_ENDED' });
      await expect(refresh(owner)).resolves.toBeDefined();
      await expect(login(owner.email, NEW_PASSWORD)).resolves.toBeDefined();
      expect(await refusal(reset(token))).toMatchObject(LINK_INVALID);
      expect((await identity.mailKinds(owner.email, 3)).at(-1)).toBe('PASSWORD_CHANGED');
    });

    it('ask for the present one, and let nobody guess at it', async () => {
      const owner = await newPerson(replica, 'present@example.com');
      for (let n = 0; n < 5; n++) {
        expect(await refusal(change(owner, 'not this one'))).toMatchObject({
          kind: 'forbidden',
          reason: 'WRONG_PASSWORD',
        });
      }
      expect(await refusal(change(owner, PASSWORD))).toMatchObject({ reason: 'TOO_MANY_ATTEMPTS' });
      await expect(refresh(owner)).resolves.toBeDefined();
    });

    it('are not changed into bad ones, nor by guests', async () => {
      const owner = await newPerson(replica, 'bad@example.com');
      expect(await refusal(change(owner, PASSWORD, 'short'))).toMatchObject({
        violations: [{ field: 'new_password' }],
      });
      expect(await refusal(change(owner, PASSWORD, 'bad@example.com'))).toMatchObject({ reason: 'PASSWORD_TOO_WEAK' });
      const asGuest = replica.account.changePassword({ password: PASSWORD, newPassword: NEW_PASSWORD });
      expect(await refusal(asGuest)).toMatchObject({ reason: 'UNAUTHENTICATED' });
    });

    it('leave no session open that a log-in with the old one opened at the same time', async () => {
      const owner = await newPerson(replica, 'meanwhile@example.com');
      const logins = Promise.allSettled(Array.from({ length: 4 }, () => login(owner.email, PASSWORD)));
      await change(owner, PASSWORD);
      await logins;
      const { sessions } = await as(owner, () => replica.sessions.listSessions({}));
      expect(sessions.map(({ current }) => current)).toEqual([true]);
    });
  });

  describe('guard the end of an account', () => {
    const remove = (person: Person, password = PASSWORD) =>
      as(person, () => replica.account.deleteAccount({ password, code: '' }));

    it('which takes all that is known of the person with it', async () => {
      const owner = await newOwner(identity, replica, 'leaving@example.com');
      const address = {
        name: 'Ada',
        line1: '1 St',
        line2: '',
        city: 'London',
        region: '',
        postalCode: '',
        country: 'GB',
      };
      await as(owner, () => replica.addressBook.addAddress({ address }));
      expect(await refusal(remove(owner, 'not this one'))).toMatchObject({ reason: 'WRONG_PASSWORD' });
      await remove(owner);
      await expect(refresh(owner)).rejects.toMatchObject({ reason: 'SESSION_ENDED' });
      expect(await refusal(as(owner, () => replica.client.getUser({ userId: '' })))).toMatchObject({
        reason: 'USER_NOT_FOUND',
      });
      expect((await identity.mailKinds(owner.email, 2)).at(-1)).toBe('ACCOUNT_DELETED');
      const events = sql(
        'test.deleted',
        'SELECT type, data FROM outbox WHERE aggregate_id = $1 ORDER BY sequence DESC LIMIT 1',
      );
      const [event] = await identity.postgres.database.query<{ type: string; data: string }>(events, [owner.userId]);
      expect(event?.type).toBe('souk.identity.v1.UserDeleted');
      expect(event?.data).not.toContain('leaving@example.com');
      // The address is free for whoever proves it next.
      await newOwner(identity, replica, 'leaving@example.com');
    });

    it('which is not for the last administrator', async () => {
      const admin = toPerson(await replica.client.login(ADMIN));
      expect(await refusal(remove(admin, ADMIN.password))).toMatchObject({ kind: 'refused', reason: 'LAST_ADMIN' });
    });
  });
});
