import { sql } from '@souk/postgres';
import { ADMIN, as, IdentityUnderTest, newOwner, newPerson, refusal, toPerson } from './identity-under-test.js';

const SECOND = { email: 'second@souk.local', password: 'another garden' };

describe('a start of identity', () => {
  let identity: IdentityUnderTest;

  beforeEach(async () => {
    identity = await IdentityUnderTest.prepare();
  });

  afterEach(() => identity.tearDown());

  it('makes the administrator of the configuration', async () => {
    const { client } = await identity.start();
    const { user } = await client.login(ADMIN);
    expect(user).toMatchObject({ roles: ['customer', 'staff', 'admin'], emailVerified: true });
  });

  it('keeps the signing key and makes no second administrator', async () => {
    const { client } = await identity.start();
    const { keys } = await client.listSigningKeys({});
    const admin = toPerson(await client.login(ADMIN));
    const replica = await identity.start({ firstAdmin: SECOND });
    expect((await replica.client.listSigningKeys({})).keys).toEqual(keys);
    expect((await as(admin, () => replica.client.getUser({ userId: '' }))).user?.email).toBe(ADMIN.email);
    expect(await refusal(replica.client.login(SECOND))).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
  });

  it('agrees on one key and one administrator when replicas start at once', async () => {
    const replicas = await Promise.all(
      ['a@souk.local', 'b@souk.local'].map((email) => identity.start({ firstAdmin: { ...ADMIN, email } })),
    );
    const keys = await Promise.all(replicas.map(({ client }) => client.listSigningKeys({})));
    expect(keys[0]!.keys).toHaveLength(1);
    expect(keys[1]).toEqual(keys[0]);
    const admins = await identity.postgres.database.query(sql('test.admins', 'SELECT email FROM users'));
    expect(admins).toHaveLength(1);
  });

  it('does not make an administrator of whoever registered the address before', async () => {
    const first = await identity.start({ firstAdmin: undefined });
    const squatter = await newPerson(first, ADMIN.email);
    const { client } = await identity.start();
    expect((await client.login(ADMIN)).user?.roles).toContain('admin');
    const { user } = await as(squatter, () => client.getUser({ userId: '' }));
    expect(user).toMatchObject({ roles: ['customer'], email: '' });
  });

  it('makes no administrator at an address that a customer owns', async () => {
    const first = await identity.start({ firstAdmin: undefined });
    const owner = await newOwner(identity, first, ADMIN.email);
    const { client } = await identity.start();
    expect(await refusal(client.login(ADMIN))).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    expect((await as(owner, () => client.getUser({ userId: '' }))).user?.roles).toEqual(['customer']);
  });
});
