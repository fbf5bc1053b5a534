import { decodeJwt } from 'jose';
import { Secret, TOTP } from 'otpauth';
import {
  ADMIN,
  as,
  IdentityUnderTest,
  newOwner,
  PASSWORD,
  refreshed,
  refusal,
  theAdmin,
  toPerson,
  type Person,
  type Replica,
} from './identity-under-test.js';

const codeOf = (secret: string, ahead = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + ahead * 30_000 });

describe('where staff must have a second factor', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;
  /** Of the same shop, before the setting was made. */
  let lenient: Replica;
  /** The administrator, before they had a second factor: what an access token says holds until it expires. */
  let chief: Person;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    lenient = await identity.start();
    chief = await theAdmin(lenient);
    replica = await identity.start({ SOUK_STAFF_SECOND_FACTOR: 'required' });
  });

  afterAll(() => identity.tearDown());

  async function enrol(person: Person, password = PASSWORD): Promise<string> {
    const { secret } = await as(person, () => replica.secondFactor.beginSecondFactor({ password }));
    await as(person, () => replica.secondFactor.confirmSecondFactor({ code: codeOf(secret) }));
    return secret;
  }

  async function newStaff(email: string, roles = ['staff']): Promise<Person> {
    const person = await newOwner(identity, replica, email);
    await as(chief, () => lenient.users.assignRoles({ userId: person.userId, roles }));
    return person;
  }

  it('customers need none', async () => {
    const person = await newOwner(identity, replica, 'customer@example.com');
    expect(decodeJwt((await refreshed(replica, person)).accessToken)).toMatchObject({ aud: 'souk', amr: ['pwd'] });
    expect(await as(person, () => replica.secondFactor.getSecondFactor({}))).toMatchObject({ required: false });
  });

  it.each([['staff'], ['admin'], ['support']])(
    'who is %s may set one up and do nothing else until then',
    async (role) => {
      if (role === 'support') {
        await as(chief, () => lenient.roles.createRole({ name: 'support', permissions: ['orders:read'] }));
      }
      const { email } = await newStaff(`${role}@example.com`, [role]);
      const { tokens, user } = await replica.client.login({ email, password: PASSWORD });
      expect(tokens?.mustEnrol).toBe(true);
      const limited = toPerson({ tokens, user });
      const claims = decodeJwt(limited.accessToken);
      expect(claims).toMatchObject({ aud: 'souk-enrolment', sub: user!.userId });
      for (const claim of ['roles', 'scope', 'email']) expect(claims).not.toHaveProperty(claim);

      const barred = { kind: 'forbidden', reason: 'SECOND_FACTOR_REQUIRED' };
      const calls = [
        () => replica.client.getUser({ userId: '' }),
        () => replica.users.listUsers({ email: '', role: '', pageSize: 1, pageToken: '' }),
        () => replica.account.changePassword({ password: PASSWORD, newPassword: 'a newer garden' }),
        () => replica.account.deleteAccount({ password: PASSWORD, code: '' }),
        () => replica.sessions.revokeOtherSessions({}),
        () => replica.secondFactor.removeSecondFactor({ password: PASSWORD, code: '123456' }),
      ];
      for (const call of calls) expect(await refusal(as<unknown>(limited, call))).toMatchObject(barred);
      expect((await replica.client.refreshSession({ refreshToken: limited.refreshToken })).tokens?.mustEnrol).toBe(
        true,
      );

      const again = toPerson(await replica.client.login({ email, password: PASSWORD }));
      expect(await as(again, () => replica.secondFactor.getSecondFactor({}))).toMatchObject({
        enabled: false,
        required: true,
      });
      await enrol(again);
      const full = await refreshed(replica, again);
      expect(decodeJwt(full.accessToken)).toMatchObject({ aud: 'souk', amr: ['pwd', 'otp', 'mfa'] });
      expect(await as(full, () => replica.client.getUser({ userId: '' }))).toMatchObject({ user: { email } });
    },
  );

  it('sessions from before the setting, or from before the role, are worth no more', async () => {
    const staff = await newStaff('before@example.com');
    const earlier = toPerson(await lenient.client.login({ email: staff.email, password: PASSWORD }));
    const { tokens } = await replica.client.refreshSession({ refreshToken: earlier.refreshToken });
    expect(tokens?.mustEnrol).toBe(true);
    expect((await replica.client.refreshSession({ refreshToken: staff.refreshToken })).tokens?.mustEnrol).toBe(true);
  });

  it('one who takes theirs off may set up another and do nothing else', async () => {
    const staff = await newStaff('again@example.com');
    const limited = await refreshed(replica, staff);
    const secret = await enrol(limited);
    const full = await refreshed(replica, limited);
    const remove = { password: PASSWORD, code: codeOf(secret, 1) };
    await as(full, () => replica.secondFactor.removeSecondFactor(remove));
    const { tokens } = await replica.client.refreshSession({ refreshToken: full.refreshToken });
    expect(tokens?.mustEnrol).toBe(true);
  });

  describe('whoever lost it', () => {
    let admin: Person;
    let staff: Person;

    beforeAll(async () => {
      admin = toPerson(await replica.client.login(ADMIN));
      await enrol(admin, ADMIN.password);
      admin = await refreshed(replica, admin);
      staff = await newStaff('lost@example.com');
      const limited = await refreshed(replica, staff);
      await enrol(limited);
      staff = await refreshed(replica, limited);
    });

    const reset = (by: Person, userId: string) => as(by, () => replica.users.resetSecondFactor({ userId }));

    it('is helped by somebody who may, is logged out, and is told', async () => {
      expect(await reset(admin, staff.userId)).toEqual({ removed: true });
      expect(await reset(admin, staff.userId)).toEqual({ removed: false });
      expect(await refusal(refreshed(replica, staff))).toMatchObject({ reason: 'SESSION_ENDED' });
      const { tokens } = await replica.client.login({ email: staff.email, password: PASSWORD });
      expect(tokens?.mustEnrol).toBe(true);
      expect((await identity.mailKinds(staff.email, 3)).at(-1)).toBe('SECOND_FACTOR_REMOVED');
    });

    it('does not help themselves by it, nor whoever is more than they are', async () => {
      expect(await refusal(reset(admin, admin.userId))).toMatchObject({ reason: 'OWN_SECOND_FACTOR' });
      const helper = await newStaff('helper@example.com');
      await as(admin, () => replica.roles.createRole({ name: 'helper', permissions: ['users:write'] }));
      await as(admin, () => replica.users.assignRoles({ userId: helper.userId, roles: ['helper'] }));
      const limited = await refreshed(replica, helper);
      expect(await refusal(reset(limited, admin.userId))).toMatchObject({ reason: 'SECOND_FACTOR_REQUIRED' });
      await enrol(limited);
      const full = await refreshed(replica, limited);
      expect(await refusal(reset(full, admin.userId))).toMatchObject({ reason: 'GRANT_TOO_WIDE' });
      expect(await refusal(reset(full, 'nobody'))).toMatchObject({ reason: 'USER_NOT_FOUND' });
      const customer = await newOwner(identity, replica, 'somebody@example.com');
      expect(await refusal(reset(customer, full.userId))).toMatchObject({ reason: 'PERMISSION_DENIED' });
    });
  });
});
