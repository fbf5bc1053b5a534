import { sql } from '@souk/postgres';
import { decodeJwt } from 'jose';
import { Secret, TOTP } from 'otpauth';
import {
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  PASSWORD,
  refreshed,
  refusal,
  toPerson,
  type Person,
  type Replica,
} from './identity-under-test.js';

/** Somebody with a second factor, and what they have on their phone and on paper. */
interface Enrolled extends Person {
  readonly secret: string;
  readonly recoveryCodes: readonly string[];
}

const codeOf = (secret: string, halfMinutesAhead = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret) }).generate({ timestamp: Date.now() + halfMinutesAhead * 30_000 });

/** A code that is none of the secret now, nor about now. */
function wrongCodeOf(secret: string): string {
  const right = [-2, -1, 0, 1, 2].map((step) => codeOf(secret, step));
  return ['000000', '111111', '222222', '333333', '444444', '555555'].find((code) => !right.includes(code))!;
}

describe('a second factor', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;
  let people = 0;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  afterAll(() => identity.tearDown());

  const query = (text: string, values: unknown[] = []) =>
    identity.postgres.database.query<{ row: string }>(sql(`test.${text.slice(0, 40)}`, text), values);
  /** Lets a code of this half minute work again. */
  const nextHalfMinute = () => query('UPDATE second_factors SET last_step = last_step - 2');
  const noPauses = () => query('DELETE FROM attempts');
  const device = { address: '203.0.113.7', userAgent: 'Shop/1.0' };
  const login = (email: string) => replica.client.login({ email, password: PASSWORD, device });
  const complete = (challengeToken: string, code: string, from = device) =>
    replica.client.completeLogin({ challengeToken, code, device: from });

  async function challengeOf({ email }: Person): Promise<string> {
    const { challenge, tokens } = await login(email);
    expect(tokens).toBeUndefined();
    return challenge!.token;
  }

  async function enrol(person: Person): Promise<Enrolled> {
    const { secret } = await as(person, () => replica.secondFactor.beginSecondFactor({ password: PASSWORD }));
    const confirm = { code: codeOf(secret) };
    const { recoveryCodes } = await as(person, () => replica.secondFactor.confirmSecondFactor(confirm));
    return { ...person, secret, recoveryCodes };
  }

  async function enrolled(): Promise<Enrolled> {
    const owner = await newOwner(identity, replica, `factor-${people++}@example.com`);
    const person = await enrol(owner);
    await nextHalfMinute();
    return person;
  }

  describe('is set up', () => {
    it('by a secret that waits for a code of it, with the password', async () => {
      const person = await newPerson(replica, 'setup@example.com');
      const begin = (password: string) => as(person, () => replica.secondFactor.beginSecondFactor({ password }));
      expect(await refusal(begin('a wrong garden'))).toMatchObject({ reason: 'WRONG_PASSWORD' });
      const { secret, uri } = await begin(PASSWORD);
      expect(uri).toContain(`otpauth://totp/shop.example:setup%40example.com?issuer=shop.example&secret=${secret}`);
      expect(await as(person, () => replica.secondFactor.getSecondFactor({}))).toMatchObject({ enabled: false });
      // Nothing changed yet.
      expect((await login(person.email)).challenge).toBeUndefined();
      const confirm = (code: string) => as(person, () => replica.secondFactor.confirmSecondFactor({ code }));
      expect(await refusal(confirm(wrongCodeOf(secret)))).toMatchObject({ kind: 'forbidden', reason: 'WRONG_CODE' });
      const { recoveryCodes } = await confirm(codeOf(secret));
      expect(new Set(recoveryCodes).size).toBe(10);
      expect(await as(person, () => replica.secondFactor.getSecondFactor({}))).toMatchObject({
        enabled: true,
        required: false,
        recoveryCodesLeft: 10,
        confirmTime: expect.any(Date),
      });
      expect(await refusal(begin(PASSWORD))).toMatchObject({ kind: 'conflict', reason: 'SECOND_FACTOR_EXISTS' });
      expect(await refusal(confirm(codeOf(secret)))).toMatchObject({ reason: 'SECOND_FACTOR_EXISTS' });
    });

    it('by the newest secret alone, and within an hour', async () => {
      const person = await newPerson(replica, 'newest@example.com');
      const begin = () => as(person, () => replica.secondFactor.beginSecondFactor({ password: PASSWORD }));
      const confirm = (code: string) => as(person, () => replica.secondFactor.confirmSecondFactor({ code }));
      expect(await refusal(confirm('123456'))).toMatchObject({ reason: 'SECOND_FACTOR_NOT_BEGUN' });
      const first = await begin();
      const second = await begin();
      expect(await refusal(confirm(codeOf(first.secret)))).toMatchObject({ reason: 'WRONG_CODE' });
      await query(`UPDATE second_factors SET created_at = now() - interval '61 minutes' WHERE user_id = $1`, [
        person.userId,
      ]);
      expect(await refusal(confirm(codeOf(second.secret)))).toMatchObject({ reason: 'SECOND_FACTOR_NOT_BEGUN' });
    });

    it('once, however many confirm at once', async () => {
      const person = await newPerson(replica, 'atonce@example.com');
      const { secret } = await as(person, () => replica.secondFactor.beginSecondFactor({ password: PASSWORD }));
      const code = codeOf(secret);
      const confirm = () => as(person, () => replica.secondFactor.confirmSecondFactor({ code }));
      const outcomes = await Promise.allSettled([confirm(), confirm(), confirm(), confirm()]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      const { recoveryCodesLeft } = await as(person, () => replica.secondFactor.getSecondFactor({}));
      expect(recoveryCodesLeft).toBe(10);
    });

    it('ends all other sessions, and tells the owner', async () => {
      const owner = await newOwner(identity, replica, 'others@example.com');
      const other = toPerson(await login(owner.email));
      await enrol(owner);
      expect(await refusal(refreshed(replica, other))).toMatchObject({ reason: 'SESSION_ENDED' });
      expect(decodeJwt((await refreshed(replica, owner)).accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
      expect(await identity.mailKinds(owner.email, 2)).toEqual(['VERIFY_EMAIL', 'SECOND_FACTOR_ADDED']);
    });

    it('is stored without the secret and the recovery codes', async () => {
      const { secret, recoveryCodes, userId } = await enrolled();
      const rows = await query(
        `SELECT f::text || array_agg(r::text)::text AS row FROM second_factors f JOIN recovery_codes r USING (user_id)
          WHERE user_id = $1 GROUP BY f`,
        [userId],
      );
      const plain = Buffer.from(Secret.fromBase32(secret).buffer).toString('hex');
      const codes = recoveryCodes.map((code) => Buffer.from(code.replaceAll('-', '')).toString('hex'));
      for (const hidden of [plain, secret, ...recoveryCodes, ...codes]) expect(rows[0]!.row).not.toContain(hidden);
    });
  });

  describe('is asked for when logging in', () => {
    it('after the password, and then the session says so', async () => {
      const person = await enrolled();
      const { tokens, user } = await complete(await challengeOf(person), codeOf(person.secret));
      expect(user?.userId).toBe(person.userId);
      expect(decodeJwt(tokens!.accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], aud: 'souk' });
      const next = await replica.client.refreshSession({ refreshToken: tokens!.refreshToken });
      expect(decodeJwt(next.tokens!.accessToken)).toMatchObject({ amr: ['pwd', 'otp', 'mfa'] });
    });

    it('and without one the session says that it was the password', async () => {
      const person = await newPerson(replica, 'plain@example.com');
      expect(decodeJwt(person.accessToken)).toMatchObject({ amr: ['pwd'] });
      expect(decodeJwt((await refreshed(replica, person)).accessToken)).toMatchObject({ amr: ['pwd'] });
    });

    it('not before the password was right', async () => {
      const { email } = await enrolled();
      const wrong = replica.client.login({ email, password: 'not this one' });
      expect(await refusal(wrong)).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    });

    it('with a code for each log-in: of several at once with the same one gets in', async () => {
      const person = await enrolled();
      const challenges = await Promise.all([challengeOf(person), challengeOf(person), challengeOf(person)]);
      const code = codeOf(person.secret);
      const outcomes = await Promise.allSettled(challenges.map((token) => complete(token, code)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      await noPauses();
      expect(await refusal(complete(await challengeOf(person), code))).toMatchObject({ reason: 'WRONG_CODE' });
    });

    it('and takes no code that is older than one that was used', async () => {
      const person = await enrolled();
      await complete(await challengeOf(person), codeOf(person.secret, 1));
      const older = complete(await challengeOf(person), codeOf(person.secret));
      expect(await refusal(older)).toMatchObject({ reason: 'WRONG_CODE' });
    });

    it('once per challenge, from the same program, for five minutes', async () => {
      const person = await enrolled();
      const token = await challengeOf(person);
      const elsewhere = { ...device, userAgent: 'Other/1.0' };
      const ended = { kind: 'unauthenticated', reason: 'CHALLENGE_ENDED' };
      expect(await refusal(complete(token, codeOf(person.secret), elsewhere))).toMatchObject(ended);
      expect(await refusal(complete('nonsense', codeOf(person.secret)))).toMatchObject(ended);
      // From another place is fine: phones change it as they go.
      await complete(token, codeOf(person.secret), { ...device, address: '198.51.100.1' });
      await nextHalfMinute();
      expect(await refusal(complete(token, codeOf(person.secret)))).toMatchObject(ended);
      const late = await challengeOf(person);
      await query(`UPDATE login_challenges SET expires_at = now() WHERE user_id = $1`, [person.userId]);
      expect(await refusal(complete(late, codeOf(person.secret)))).toMatchObject(ended);
    });

    it('and a wrong one leaves the challenge, but tries are counted for the person, whatever the challenge', async () => {
      const person = await enrolled();
      const challenges = [await challengeOf(person), await challengeOf(person)];
      for (let n = 0; n < 5; n++) {
        const wrong = complete(challenges[n % 2]!, wrongCodeOf(person.secret));
        expect(await refusal(wrong)).toMatchObject({ reason: 'WRONG_CODE' });
      }
      const paused = { kind: 'exhausted', reason: 'TOO_MANY_ATTEMPTS' };
      for (const token of [...challenges, await challengeOf(person)]) {
        expect(await refusal(complete(token, codeOf(person.secret)))).toMatchObject(paused);
      }
      await noPauses();
      await complete(challenges[0]!, codeOf(person.secret));
    });

    it('and keeps a few challenges of a person at most', async () => {
      const person = await enrolled();
      const first = await challengeOf(person);
      for (let n = 0; n < 10; n++) await challengeOf(person);
      expect(await query('SELECT 1 FROM login_challenges WHERE user_id = $1', [person.userId])).toHaveLength(10);
      expect(await refusal(complete(first, codeOf(person.secret)))).toMatchObject({ reason: 'CHALLENGE_ENDED' });
    });

    it('also after the password was changed by a link or by its owner, and log-ins with the old one end', async () => {
      const person = await enrolled();
      const before = await challengeOf(person);
      await replica.client.requestPasswordReset({ email: person.email });
      const token = await identity.linkToken(person.email, 'RESET_PASSWORD');
      await replica.client.resetPassword({ token, password: 'a newer garden' });
      expect(await refusal(complete(before, codeOf(person.secret)))).toMatchObject({ reason: 'CHALLENGE_ENDED' });
      const again = await replica.client.login({ email: person.email, password: 'a newer garden', device });
      expect([again.tokens, again.user]).toEqual([undefined, undefined]);
      const session = toPerson(await complete(again.challenge!.token, codeOf(person.secret)));
      const change = { password: 'a newer garden', newPassword: PASSWORD };
      await as(session, () => replica.account.changePassword(change));
      expect((await login(person.email)).challenge).toBeDefined();
    });
  });

  describe('is replaced by a recovery code', () => {
    it('once each, however it is typed, and the owner is told', async () => {
      const person = await enrolled();
      const [first = '', second = ''] = person.recoveryCodes;
      await complete(await challengeOf(person), ` ${first.toLowerCase().replaceAll('-', ' ')} `);
      expect(await refusal(complete(await challengeOf(person), first))).toMatchObject({ reason: 'WRONG_CODE' });
      const session = toPerson(await complete(await challengeOf(person), second));
      const { recoveryCodesLeft } = await as(session, () => replica.secondFactor.getSecondFactor({}));
      expect(recoveryCodesLeft).toBe(8);
      expect((await identity.mailKinds(person.email, 4)).slice(2)).toEqual([
        'RECOVERY_CODE_USED',
        'RECOVERY_CODE_USED',
      ]);
    });

    it('of several at once with the same one gets in', async () => {
      const person = await enrolled();
      const challenges = await Promise.all([challengeOf(person), challengeOf(person), challengeOf(person)]);
      const outcomes = await Promise.allSettled(challenges.map((token) => complete(token, person.recoveryCodes[0]!)));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('that belongs to the account', async () => {
      const [person, other] = [await enrolled(), await enrolled()];
      const foreign = complete(await challengeOf(person), other.recoveryCodes[0]!);
      expect(await refusal(foreign)).toMatchObject({ reason: 'WRONG_CODE' });
    });

    it('and new ones end the old ones, by password and code', async () => {
      const person = await enrolled();
      const renew = (password: string, code: string) =>
        as(person, () => replica.secondFactor.renewRecoveryCodes({ password, code }));
      expect(await refusal(renew('not this one', codeOf(person.secret)))).toMatchObject({ reason: 'WRONG_PASSWORD' });
      expect(await refusal(renew(PASSWORD, wrongCodeOf(person.secret)))).toMatchObject({ reason: 'WRONG_CODE' });
      const { recoveryCodes } = await renew(PASSWORD, codeOf(person.secret));
      const old = complete(await challengeOf(person), person.recoveryCodes[0]!);
      expect(await refusal(old)).toMatchObject({ reason: 'WRONG_CODE' });
      await complete(await challengeOf(person), recoveryCodes[0]!);
    });
  });

  describe('is asked for, with the password,', () => {
    it('before the address changes', async () => {
      const person = await enrolled();
      const email = `next-${person.email}`;
      const change = (code: string) =>
        as(person, () => replica.account.requestEmailChange({ email, password: PASSWORD, code }));
      for (const code of ['', wrongCodeOf(person.secret)]) {
        expect(await refusal(change(code))).toMatchObject({ kind: 'forbidden', reason: 'WRONG_CODE' });
      }
      await identity.mailsSettled();
      expect(identity.mailsTo(email)).toEqual([]);
      await change(codeOf(person.secret));
      expect(await identity.mailKinds(email, 1)).toEqual(['CONFIRM_EMAIL']);
      expect(await refusal(change(codeOf(person.secret)))).toMatchObject({ reason: 'WRONG_CODE' });
    });

    it('before the account is deleted, and a wrong one is counted', async () => {
      const person = await enrolled();
      const remove = (code: string) => as(person, () => replica.account.deleteAccount({ password: PASSWORD, code }));
      for (const code of ['', ...Array.from({ length: 4 }, () => wrongCodeOf(person.secret))]) {
        expect(await refusal(remove(code))).toMatchObject({ reason: 'WRONG_CODE' });
      }
      expect(await refusal(remove(codeOf(person.secret)))).toMatchObject({ reason: 'TOO_MANY_ATTEMPTS' });
      expect((await as(person, () => replica.client.getUser({ userId: '' }))).user?.userId).toBe(person.userId);
      await noPauses();
      expect((await remove(person.recoveryCodes[0]!)).erasureId).not.toBe('');
      expect(await refusal(login(person.email))).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    });
  });

  describe('is removed', () => {
    it('by its owner with password and code, which ends log-ins that wait for one', async () => {
      const person = await enrolled();
      const waiting = await challengeOf(person);
      const remove = (password: string, code: string) =>
        as(person, () => replica.secondFactor.removeSecondFactor({ password, code }));
      expect(await refusal(remove('not this one', codeOf(person.secret)))).toMatchObject({ reason: 'WRONG_PASSWORD' });
      expect(await refusal(remove(PASSWORD, wrongCodeOf(person.secret)))).toMatchObject({ reason: 'WRONG_CODE' });
      await remove(PASSWORD, codeOf(person.secret));
      expect(await refusal(remove(PASSWORD, '123456'))).toMatchObject({ reason: 'SECOND_FACTOR_MISSING' });
      expect(await refusal(complete(waiting, person.recoveryCodes[0]!))).toMatchObject({ reason: 'CHALLENGE_ENDED' });
      expect(decodeJwt(toPerson(await login(person.email)).accessToken)).toMatchObject({ amr: ['pwd'] });
      // And the session that had shown a code no longer counts as one.
      expect(decodeJwt((await refreshed(replica, person)).accessToken)).toMatchObject({ amr: ['pwd'] });
      expect((await identity.mailKinds(person.email, 3)).at(-1)).toBe('SECOND_FACTOR_REMOVED');
    });

    it('by nobody who is not logged in', async () => {
      expect(await refusal(replica.secondFactor.removeSecondFactor({ password: PASSWORD, code: '1' }))).toMatchObject({
        reason: 'UNAUTHENTICATED',
      });
    });
  });
});
