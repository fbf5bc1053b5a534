import { TokenVerifier, type Permission } from '@souk/auth';
import type { JWK } from 'jose';
import {
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  refreshed,
  refusal,
  theAdmin,
  type Person,
  type Replica,
} from './identity-under-test.js';

describe('roles', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;
  let admin: Person;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
    admin = await theAdmin(replica);
  });

  afterAll(() => identity.tearDown());

  const create = (by: Person, name: string, permissions: string[]) =>
    as(by, () => replica.roles.createRole({ name, permissions }));
  const update = (by: Person, name: string, permissions: string[]) =>
    as(by, () => replica.roles.updateRole({ name, permissions }));
  const remove = (by: Person, name: string) => as(by, () => replica.roles.deleteRole({ name }));
  const assign = (by: Person, { userId }: Pick<Person, 'userId'>, ...roles: string[]) =>
    as(by, () => replica.users.assignRoles({ userId, roles }));
  const keys = async () => (await replica.client.listSigningKeys({})).keys.map(({ jwk }) => JSON.parse(jwk) as JWK);
  const principalOf = ({ accessToken }: Person) => new TokenVerifier(keys).verify(accessToken);

  /** Somebody with a role of exactly these permissions. */
  async function withPermissions(name: string, ...permissions: Permission[]): Promise<Person> {
    const person = await newPerson(replica, `${name}@example.com`);
    await create(admin, name, permissions);
    await assign(admin, person, name);
    return refreshed(replica, person);
  }

  it('of the shop’s own are made, changed and deleted', async () => {
    const { role } = await create(admin, 'packer', ['stock:read', 'orders:read']);
    expect(role).toMatchObject({ name: 'packer', permissions: ['stock:read', 'orders:read'], builtIn: false });
    expect((await update(admin, 'packer', ['orders:write'])).role).toMatchObject({ permissions: ['orders:write'] });
    const { roles } = await as(admin, () => replica.roles.listRoles({}));
    expect(roles.map(({ name }) => name)).toEqual(expect.arrayContaining(['customer', 'staff', 'admin', 'packer']));
    expect(await refusal(create(admin, 'packer', []))).toMatchObject({ reason: 'ROLE_EXISTS' });
    for (let n = 0; n < 2; n++) expect(await remove(admin, 'packer')).toEqual({});
    expect(await refusal(update(admin, 'packer', []))).toMatchObject({ reason: 'ROLE_NOT_FOUND' });
  });

  it('that every shop has cannot be changed', async () => {
    expect(await refusal(update(admin, 'staff', []))).toMatchObject({ reason: 'ROLE_BUILT_IN' });
    expect(await refusal(remove(admin, 'customer'))).toMatchObject({ reason: 'ROLE_BUILT_IN' });
    expect(await refusal(create(admin, 'admin', []))).toMatchObject({ reason: 'ROLE_EXISTS' });
  });

  it('are felt with the next access token, and open what they are made of and nothing else', async () => {
    const person = await withPermissions('reader', 'users:read');
    expect(await principalOf(person)).toMatchObject({ roles: ['customer', 'reader'], permissions: ['users:read'] });
    await expect(as(person, () => replica.users.listUsers(ALL))).resolves.toBeDefined();
    expect(await refusal(create(person, 'mine', []))).toMatchObject({ reason: 'PERMISSION_DENIED' });
    await update(admin, 'reader', []);
    expect(await principalOf(await refreshed(replica, person))).toMatchObject({ permissions: [] });
  });

  it('are not deleted while somebody has them, also when that happens at the same time', async () => {
    const person = await newPerson(replica, 'holder@example.com');
    await create(admin, 'held', []);
    const results = await Promise.allSettled([assign(admin, person, 'held'), remove(admin, 'held')]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    const [assigned] = results;
    if (assigned.status === 'rejected') {
      expect(assigned.reason).toMatchObject({ reason: 'ROLE_NOT_FOUND' });
    } else {
      expect(await refusal(remove(admin, 'held'))).toMatchObject({ reason: 'ROLE_IN_USE' });
    }
  });

  it('are unknown where nobody made them', async () => {
    const person = await newPerson(replica, 'unknown-role@example.com');
    expect(await refusal(assign(admin, person, 'nobody-made-it'))).toMatchObject({ reason: 'ROLE_NOT_FOUND' });
    expect(await refusal(assign(admin, { userId: 'nonsense' }, 'staff'))).toMatchObject({ reason: 'USER_NOT_FOUND' });
    expect(await refusal(create(admin, 'x', ['orders:destroy']))).toMatchObject({
      violations: [{ field: 'permissions' }],
    });
  });

  describe('let nobody climb:', () => {
    it('who makes roles puts nothing into them that they do not have', async () => {
      const maker = await withPermissions('maker', 'roles:write', 'orders:read');
      await create(maker, 'small', ['orders:read']);
      const tooWide = { kind: 'forbidden', reason: 'GRANT_TOO_WIDE' };
      expect(await refusal(create(maker, 'wide', ['orders:read', 'orders:refund']))).toMatchObject({
        ...tooWide,
        metadata: { missing: 'orders:refund' },
      });
      expect(await refusal(update(maker, 'small', ['orders:refund']))).toMatchObject(tooWide);
      expect(await refusal(assign(maker, maker, 'maker', 'admin'))).toMatchObject(tooWide);
      expect(await refusal(assign(maker, maker, 'maker', 'staff'))).toMatchObject(tooWide);
      // Nor takes from others what they do not have.
      expect(await refusal(assign(maker, admin))).toMatchObject(tooWide);
      await create(admin, 'refunds', ['orders:refund']);
      expect(await refusal(update(maker, 'refunds', []))).toMatchObject(tooWide);
      expect(await refusal(remove(maker, 'refunds'))).toMatchObject(tooWide);
    });

    it('who was dismissed has nothing left of an access token that is still good', async () => {
      const second = await newOwner(identity, replica, 'second-admin@example.com');
      await assign(admin, second, 'admin');
      const dismissed = await refreshed(replica, second);
      await assign(admin, second);
      expect(await principalOf(dismissed)).toMatchObject({ roles: ['customer', 'admin'] });
      expect(await refusal(assign(dismissed, second, 'admin'))).toMatchObject({ reason: 'PERMISSION_DENIED' });
      expect(await refusal(create(dismissed, 'backdoor', []))).toMatchObject({ reason: 'PERMISSION_DENIED' });
    });

    it('customers and guests may not even look', async () => {
      const customer = await newPerson(replica, 'customer@example.com');
      for (const call of [
        () => replica.roles.listRoles({}),
        () => replica.roles.listPermissions({}),
        () => replica.users.listUsers(ALL),
        () => replica.users.assignRoles({ userId: customer.userId, roles: ['admin'] }),
        () => replica.users.revokeUserSessions({ userId: admin.userId }),
      ]) {
        expect(await refusal(as<unknown>(customer, call))).toMatchObject({ reason: 'PERMISSION_DENIED' });
        expect(await refusal(call())).toMatchObject({ reason: 'UNAUTHENTICATED' });
      }
    });
  });

  it('of the last administrator stay, also when two are dismissed at once', async () => {
    expect(await refusal(assign(admin, admin, 'staff'))).toMatchObject({ kind: 'refused', reason: 'LAST_ADMIN' });
    const second = await newOwner(identity, replica, 'other-admin@example.com');
    await assign(admin, second, 'admin');
    const results = await Promise.allSettled([assign(admin, admin), assign(admin, second)]);
    const dismissed = results.filter(({ status }) => status === 'fulfilled');
    expect(dismissed).toHaveLength(1);
    if (results[0].status === 'fulfilled') await assign(await refreshed(replica, second), admin, 'staff', 'admin');
    else await assign(admin, second);
  });

  const ALL = { email: '', role: '', pageSize: 0, pageToken: '' };

  describe('and accounts', () => {
    const list = async (filter: Partial<typeof ALL>) => as(admin, () => replica.users.listUsers({ ...ALL, ...filter }));

    it('are listed page by page, by address and by role', async () => {
      const { userId } = await newPerson(replica, 'Listed@example.com');
      expect((await list({ email: 'listed@EXAMPLE.com' })).users).toMatchObject([{ userId }]);
      expect((await list({ email: 'listed@example.com', role: 'staff' })).users).toEqual([]);
      const admins = (await list({ role: 'admin' })).users;
      expect(admins.map((user) => user.userId)).toContain(admin.userId);
      const [all, seen] = [(await list({ pageSize: 100 })).users, [] as string[]];
      for (let pageToken = ''; ;) {
        const page = await list({ pageSize: 2, pageToken });
        seen.push(...page.users.map((user) => user.userId));
        pageToken = page.nextPageToken;
        if (!pageToken) break;
      }
      expect(seen).toEqual(all.map((user) => user.userId));
      expect(await refusal(list({ pageToken: 'nonsense' }))).toMatchObject({ violations: [{ field: 'page_token' }] });
    });

    it('lose their sessions to who may do so, and to nobody who may less than they', async () => {
      const person = await newPerson(replica, 'thrown-out@example.com');
      const support = await withPermissions('support', 'users:write', 'users:read');
      const revoke = (userId: string) => as(support, () => replica.users.revokeUserSessions({ userId }));
      expect(await revoke(person.userId)).toEqual({ count: 1 });
      expect(await refusal(refreshed(replica, person))).toMatchObject({ reason: 'SESSION_ENDED' });
      expect(await refusal(revoke(admin.userId))).toMatchObject({ reason: 'GRANT_TOO_WIDE' });
      expect(await refusal(revoke('nonsense'))).toMatchObject({ reason: 'USER_NOT_FOUND' });
    });
  });
});
