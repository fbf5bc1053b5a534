import { IdentityServiceService } from '@souk/proto/identity/v1';
import { as, IdentityUnderTest, newPerson, refreshed, refusal, theAdmin, type Replica } from './identity-under-test.js';

describe('the rotation of signing keys', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;

  beforeEach(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  afterEach(() => identity.tearDown());

  it('by command publishes the next one and logs nobody out, on no replica (F80)', async () => {
    const other = await identity.start();
    const person = await newPerson(replica, 'stays@example.com');
    const admin = await theAdmin(replica);
    const [first] = (await replica.client.listSigningKeys({})).keys;
    const rotate = () => as(admin, () => replica.client.rotateSigningKeys({ compromised: false }));
    const { keys } = await rotate();
    expect(keys).toHaveLength(2);
    expect(keys[1]!.keyId).toBe(first!.keyId);
    expect(+keys[0]!.signTime! - Date.now()).toBeGreaterThan(9 * 60_000);
    expect((await rotate()).keys).toEqual(keys);
    expect((await other.client.listSigningKeys({})).keys).toEqual(keys);
    for (const { client } of [replica, other]) {
      await expect(as(person, () => client.getUser({ userId: '' }))).resolves.toBeDefined();
    }
    await expect(refreshed(other, person)).resolves.toBeDefined();
  });

  it('of a stolen one ends access tokens, and sessions go on', async () => {
    const person = await newPerson(replica, 'goes-on@example.com');
    const ops = identity.clientOf(IdentityServiceService, replica.service, { caller: 'ops' });
    const { keys } = await ops.rotateSigningKeys({ compromised: true });
    expect(keys).toHaveLength(1);
    const later = await identity.start();
    expect(await refusal(as(person, () => later.client.getUser({ userId: '' })))).toMatchObject({
      reason: 'TOKEN_INVALID',
    });
    const next = await refreshed(later, person);
    await expect(as(next, () => later.client.getUser({ userId: '' }))).resolves.toBeDefined();
  });

  it('is for administrators and operators alone', async () => {
    const person = await newPerson(replica, 'nobody@example.com');
    const rotate = () => replica.client.rotateSigningKeys({ compromised: true });
    expect(await refusal(as(person, rotate))).toMatchObject({ reason: 'PERMISSION_DENIED' });
    expect(await refusal(rotate())).toMatchObject({ reason: 'UNAUTHENTICATED' });
  });
});
