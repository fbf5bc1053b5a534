import { UsersServiceService } from '@souk/proto/identity/v1';
import { ADMIN, as, IdentityUnderTest, newOwner, refusal, theAdmin, type Replica } from './identity-under-test.js';

describe("an operator's first administrator", () => {
  let identity: IdentityUnderTest;
  let replica: Replica;

  beforeEach(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start({ firstAdmin: undefined });
  });

  afterEach(() => identity.tearDown());

  function operator({ service } = replica) {
    return identity.clientOf(UsersServiceService, service, { caller: 'ops' });
  }

  it('is made once, also when several operators and replicas try at once', async () => {
    const other = await identity.start({ firstAdmin: undefined });
    const tries = await Promise.allSettled(
      [replica, other, replica, other].map((one, index) =>
        operator(one).createFirstAdmin({ ...ADMIN, email: `root${index}@souk.local` }),
      ),
    );
    const made = tries.flatMap((result) => (result.status === 'fulfilled' ? [result.value.user] : []));
    expect(made).toEqual([expect.objectContaining({ roles: ['customer', 'staff', 'admin'], emailVerified: true })]);
    const refusals = tries.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
    expect(refusals).toEqual(Array(3).fill(expect.objectContaining({ reason: 'ADMIN_EXISTS' })));
    const email = made[0]?.email ?? '';
    expect((await replica.client.login({ ...ADMIN, email })).user?.roles).toContain('admin');
  });

  it('is not made where the configuration made one', async () => {
    const configured = await identity.start();
    const again = { ...ADMIN, email: 'second@souk.local' };
    expect(await refusal(operator(configured).createFirstAdmin(again))).toMatchObject({ reason: 'ADMIN_EXISTS' });
  });

  it('does not become whoever owns the address, nor take it from them', async () => {
    const owner = await newOwner(identity, replica, ADMIN.email);
    expect(await refusal(operator().createFirstAdmin(ADMIN))).toMatchObject({ reason: 'EMAIL_OWNED' });
    const { user } = await as(owner, () => replica.client.getUser({ userId: '' }));
    expect(user).toMatchObject({ roles: ['customer'], email: ADMIN.email });
  });

  it.each([
    ['no address', { ...ADMIN, email: 'root' }, 'INVALID_ARGUMENT'],
    ['a short password', { ...ADMIN, password: 'short' }, 'INVALID_ARGUMENT'],
    ['a password that anybody would try', { ...ADMIN, password: 'password1234' }, 'PASSWORD_TOO_WEAK'],
  ])('is not made of %s', async (_, account, reason) => {
    expect(await refusal(operator().createFirstAdmin(account))).toMatchObject({ reason });
  });

  it('is made by operators alone: by no other service, and by nobody who is logged in', async () => {
    const admin = await identity.start().then(theAdmin);
    const asked = [
      () => identity.clientOf(UsersServiceService, replica.service, { caller: 'orders' }).createFirstAdmin(ADMIN),
      () => as(admin, () => replica.users.createFirstAdmin(ADMIN)),
      () => identity.clientOf(UsersServiceService, replica.service, { serviceToken: 'wrong' }).createFirstAdmin(ADMIN),
    ];
    for (const ask of asked)
      await expect(ask()).rejects.toMatchObject({ kind: expect.stringMatching(/forbidden|unauthenticated/) });
  });
});
