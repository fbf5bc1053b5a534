import { sql } from '@souk/postgres';
import type { Address } from '@souk/proto/type/v1';
import {
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  PASSWORD,
  refusal,
  type Person,
  type Replica,
} from './identity-under-test.js';

const LINK_INVALID = { kind: 'refused', reason: 'LINK_INVALID' };

describe('the address of an account', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  afterAll(() => identity.tearDown());

  const verify = (person: Person, token: string) => as(person, () => replica.account.verifyEmail({ token }));
  const own = async (person: Person) => (await as(person, () => replica.client.getUser({ userId: '' }))).user!;
  const eventsOf = async ({ userId }: Person) => {
    const events = sql('test.events_of', 'SELECT type, data FROM outbox WHERE aggregate_id = $1 ORDER BY sequence');
    return identity.postgres.database.query<{ type: string; data: string }>(events, [userId]);
  };

  describe('is proved', () => {
    it('by a link and a log-in together, which is told to the others', async () => {
      const person = await newPerson(replica, 'Prove@example.com');
      const token = await identity.linkToken('Prove@example.com', 'VERIFY_EMAIL');
      expect(await refusal(replica.account.verifyEmail({ token }))).toMatchObject({ reason: 'UNAUTHENTICATED' });
      expect((await verify(person, token)).user).toMatchObject({ email: 'Prove@example.com', emailVerified: true });
      const [, event] = await eventsOf(person);
      expect(event?.type).toBe('souk.identity.v1.EmailVerified');
      expect(JSON.parse(event!.data)).toMatchObject({ userId: person.userId, email: 'Prove@example.com' });
    });

    it('once, and repeating it after a lost answer does no harm', async () => {
      const person = await newPerson(replica, 'again@example.com');
      const token = await identity.linkToken('again@example.com', 'VERIFY_EMAIL');
      await Promise.all([verify(person, token), verify(person, token)]);
      await verify(person, token);
      expect((await eventsOf(person)).filter(({ type }) => type.endsWith('EmailVerified'))).toHaveLength(1);
    });

    it('by whoever reads the mail, and not by who only said so', async () => {
      const thief = await newPerson(replica, 'victim@example.com');
      const victim = await newPerson(replica, 'Victim@example.com');
      // The link that the thief's registration sent serves the one who can read it, and not the thief.
      const token = await identity.linkToken('victim@example.com', 'VERIFY_EMAIL');
      const second = await identity.linkToken('Victim@example.com', 'VERIFY_EMAIL');
      await verify(victim, token);
      expect(await own(victim)).toMatchObject({ email: 'Victim@example.com', emailVerified: true });
      expect(await own(thief)).toMatchObject({ email: '', emailVerified: false });
      expect(await refusal(verify(thief, token))).toMatchObject(LINK_INVALID);
      expect(await refusal(verify(thief, second))).toMatchObject(LINK_INVALID);
    });

    it('not by a link that was sent to another address', async () => {
      const [one, other] = [await newPerson(replica, 'one@example.com'), await newPerson(replica, 'two@example.com')];
      const token = await identity.linkToken('one@example.com', 'VERIFY_EMAIL');
      expect(await refusal(verify(other, token))).toMatchObject(LINK_INVALID);
      await expect(verify(one, token)).resolves.toBeDefined();
    });

    it('not by a link that has ended', async () => {
      const person = await newPerson(replica, 'ended@example.com');
      const token = await identity.linkToken('ended@example.com', 'VERIFY_EMAIL');
      await identity.postgres.database.query(sql('test.end_proofs', 'UPDATE proofs SET expires_at = now()'));
      expect(await refusal(verify(person, token))).toMatchObject(LINK_INVALID);
      await as(person, () => replica.account.requestEmailVerification({}));
      await identity.mailKinds('ended@example.com', 2);
      await verify(person, await identity.linkToken('ended@example.com', 'VERIFY_EMAIL'));
    });
  });

  describe('is changed', () => {
    const request = (person: Person, email: string, password = PASSWORD) =>
      as(person, () => replica.account.requestEmailChange({ email, password, code: '' }));
    const confirm = (person: Person, token: string) => as(person, () => replica.account.confirmEmailChange({ token }));

    it('once it is confirmed at the new one, and the old one is told', async () => {
      const person = await newOwner(identity, replica, 'old@example.com');
      await request(person, 'new@example.com');
      const token = await identity.linkToken('new@example.com', 'CONFIRM_EMAIL');
      expect(await own(person)).toMatchObject({ email: 'old@example.com' });
      expect((await confirm(person, token)).user).toMatchObject({ email: 'new@example.com', emailVerified: true });
      expect((await identity.mailKinds('old@example.com', 2)).at(-1)).toBe('EMAIL_CHANGED');
      expect((await eventsOf(person)).map(({ type }) => type.split('.').at(-1))).toEqual([
        'UserRegistered',
        'EmailVerified',
        'EmailVerified',
      ]);
      expect((await replica.client.login({ email: 'new@example.com', password: PASSWORD })).user?.userId).toBe(
        person.userId,
      );
      const byOld = replica.client.login({ email: 'old@example.com', password: PASSWORD });
      expect(await refusal(byOld)).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
      // The old one is free for whoever proves it.
      await newOwner(identity, replica, 'old@example.com');
    });

    it('by who knows the password alone', async () => {
      const person = await newOwner(identity, replica, 'careful@example.com');
      expect(await refusal(request(person, 'else@example.com', 'not this one'))).toMatchObject({
        reason: 'WRONG_PASSWORD',
      });
      await identity.mailsSettled();
      expect(identity.mailsTo('else@example.com')).toEqual([]);
      expect(await refusal(request(person, 'nonsense'))).toMatchObject({ violations: [{ field: 'email' }] });
    });

    it('to that of another account by nobody, though the answer is the same', async () => {
      const owner = await newOwner(identity, replica, 'owned@example.com');
      const thief = await newOwner(identity, replica, 'thief@example.com');
      expect(await request(thief, 'Owned@example.com')).toEqual({});
      expect((await identity.mailKinds('owned@example.com', 2)).at(-1)).toBe('ACCOUNT_EXISTS');
      expect(await own(owner)).toMatchObject({ email: 'owned@example.com', emailVerified: true });
    });

    it('not by somebody else who opens the link', async () => {
      const thief = await newOwner(identity, replica, 'thief2@example.com');
      const victim = await newPerson(replica, 'target@example.com');
      await request(thief, 'target@example.com');
      const token = await identity.linkToken('target@example.com', 'CONFIRM_EMAIL');
      expect(await refusal(confirm(victim, token))).toMatchObject(LINK_INVALID);
      expect(await refusal(replica.account.confirmEmailChange({ token }))).toMatchObject({ reason: 'UNAUTHENTICATED' });
      expect(await own(victim)).toMatchObject({ email: 'target@example.com' });
    });

    it('not where another account proved it in the meantime', async () => {
      const slow = await newOwner(identity, replica, 'slow@example.com');
      await request(slow, 'wanted@example.com');
      const token = await identity.linkToken('wanted@example.com', 'CONFIRM_EMAIL');
      await newOwner(identity, replica, 'wanted@example.com');
      expect(await refusal(confirm(slow, token))).toMatchObject(LINK_INVALID);
      expect(await own(slow)).toMatchObject({ email: 'slow@example.com', emailVerified: true });
    });

    it('and with it a link to a new password that went to the old one works no more', async () => {
      const person = await newOwner(identity, replica, 'before@example.com');
      await replica.client.requestPasswordReset({ email: 'before@example.com' });
      const reset = await identity.linkToken('before@example.com', 'RESET_PASSWORD');
      await request(person, 'after@example.com');
      await confirm(person, await identity.linkToken('after@example.com', 'CONFIRM_EMAIL'));
      const late = replica.client.resetPassword({ token: reset, password: 'a garden full of noise' });
      expect(await refusal(late)).toMatchObject(LINK_INVALID);
    });
  });

  it('stays when the name is changed', async () => {
    const person = await newPerson(replica, 'name@example.com');
    const { user } = await as(person, () => replica.account.updateProfile({ name: '  Ada Lovelace ' }));
    expect(user).toMatchObject({ name: 'Ada Lovelace', email: 'name@example.com' });
    const nameless = as(person, () => replica.account.updateProfile({ name: ' ' }));
    expect(await refusal(nameless)).toMatchObject({ violations: [{ field: 'name' }] });
  });
});

describe('the address book', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;
  let person: Person;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  beforeEach(async () => {
    person = await newPerson(replica, `book-${Math.random()}@example.com`);
  });

  afterAll(() => identity.tearDown());

  const home: Address = {
    name: 'Ada Lovelace',
    line1: '12 St James Square',
    line2: '',
    city: 'London',
    region: '',
    postalCode: 'SW1Y 4JH',
    country: 'GB',
  };
  const list = async (whose = person) =>
    (await as(whose, () => replica.addressBook.listAddresses({}))).addresses.map(({ address }) => address?.line1);
  const add = async (changes: Partial<Address> = {}, whose = person) =>
    (await as(whose, () => replica.addressBook.addAddress({ address: { ...home, ...changes } }))).address!;

  it('keeps addresses, newest first, and each of them once', async () => {
    const first = await add();
    const second = await add({ line1: '2 High Street' });
    expect(await add({ line1: ' 12 St James Square ' })).toEqual(first);
    expect(await list()).toEqual(['2 High Street', '12 St James Square']);
    expect(second).toMatchObject({ address: { ...home, line1: '2 High Street' }, createTime: expect.any(Date) });
  });

  it('replaces and deletes them', async () => {
    const { addressId } = await add();
    await add({ line1: 'other' });
    const update = (address: Address | undefined) =>
      as(person, () => replica.addressBook.updateAddress({ addressId, address }));
    expect((await update({ ...home, line1: 'new' })).address).toMatchObject({ addressId, address: { line1: 'new' } });
    expect(await refusal(update({ ...home, line1: 'other' }))).toMatchObject({ reason: 'ADDRESS_EXISTS' });
    expect(await refusal(update(undefined))).toMatchObject({ violations: [{ field: 'address' }] });
    for (let n = 0; n < 2; n++) await as(person, () => replica.addressBook.deleteAddress({ addressId }));
    expect(await list()).toEqual(['other']);
    expect(await refusal(update(home))).toMatchObject({ reason: 'ADDRESS_NOT_FOUND' });
  });

  it('is nobody else’s business', async () => {
    const { addressId } = await add();
    const stranger = await newPerson(replica, `stranger-${Math.random()}@example.com`);
    expect(await list(stranger)).toEqual([]);
    const change = as(stranger, () => replica.addressBook.updateAddress({ addressId, address: home }));
    expect(await refusal(change)).toMatchObject({ reason: 'ADDRESS_NOT_FOUND' });
    await as(stranger, () => replica.addressBook.deleteAddress({ addressId }));
    expect(await list()).toHaveLength(1);
    expect(await refusal(replica.addressBook.listAddresses({}))).toMatchObject({ reason: 'UNAUTHENTICATED' });
  });

  it('names each wrong field', async () => {
    const wrong = add({ name: '', line1: 'x'.repeat(201), city: 'Lon\ndon', country: 'gb' });
    expect(await refusal(wrong)).toMatchObject({
      violations: [
        { field: 'address.name' },
        { field: 'address.line1' },
        { field: 'address.city' },
        { field: 'address.country' },
      ],
    });
  });

  it('holds fifty and no more, however many are added at once', async () => {
    const results = await Promise.allSettled(Array.from({ length: 60 }, (_, n) => add({ line1: `${n} High Street` })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
    expect(await refusal(add())).toMatchObject({ kind: 'refused', reason: 'ADDRESS_BOOK_FULL' });
    expect(await list()).toHaveLength(50);
  });
});
