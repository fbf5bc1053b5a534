import { TokenVerifier } from '@souk/auth';
import { sql } from '@souk/postgres';
import type { JWK } from 'jose';
import {
  as,
  IdentityUnderTest,
  newPerson,
  refreshed,
  refusal,
  theAdmin,
  type Person,
  type Replica,
} from './identity-under-test.js';

describe('machine clients', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;
  let admin: Person;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
    admin = await theAdmin(replica);
  });

  afterAll(() => identity.tearDown());

  const keys = async () => (await replica.client.listSigningKeys({})).keys.map(({ jwk }) => JSON.parse(jwk) as JWK);
  const tokenOf = (clientId: string, clientSecret: string, scope = '') =>
    replica.clients.issueClientToken({ clientId, clientSecret, scope });
  const create = async (permissions: string[], by: Pick<Person, 'accessToken'> = admin) => {
    const made = await as(by, () => replica.clients.createClient({ name: 'Warehouse', permissions }));
    return { clientId: made.client!.clientId, secret: made.clientSecret, client: made.client! };
  };
  const rotate = async (clientId: string, by: Pick<Person, 'accessToken'> = admin) =>
    (await as(by, () => replica.clients.rotateClientSecret({ clientId }))).clientSecret;
  const find = async (clientId: string) =>
    (await as(admin, () => replica.clients.listClients({}))).clients.find((client) => client.clientId === clientId);

  it('get tokens that say who they are and what they may do', async () => {
    const { clientId, secret } = await create(['orders:read', 'stock:write']);
    const answer = await tokenOf(clientId, secret);
    expect(answer).toMatchObject({ expiresIn: 900, scope: 'orders:read stock:write' });
    expect(await new TokenVerifier(keys).verify(answer.accessToken)).toEqual({
      kind: 'client',
      clientId,
      permissions: ['orders:read', 'stock:write'],
    });
    const payload = JSON.parse(Buffer.from(answer.accessToken.split('.')[1]!, 'base64url').toString()) as object;
    expect(payload).toMatchObject({
      sub: clientId,
      client_id: clientId,
      scope: 'orders:read stock:write',
      aud: 'souk',
    });
  });

  it('get no more than they ask for, and nothing that they do not have', async () => {
    const { clientId, secret } = await create(['orders:read', 'stock:write']);
    expect((await tokenOf(clientId, secret, ' stock:write  stock:write ')).scope).toBe('stock:write');
    for (const scope of ['orders:refund', 'orders:read orders:refund', 'nonsense', 'admin']) {
      expect(await refusal(tokenOf(clientId, secret, scope))).toMatchObject({
        kind: 'invalid',
        reason: 'INVALID_SCOPE',
      });
    }
  });

  it('are refused alike, whatever is wrong', async () => {
    const [one, other] = [await create(['orders:read']), await create(['orders:read'])];
    const attempts = [
      [one.clientId, 'nonsense'],
      [one.clientId, `souk_${'A'.repeat(43)}`],
      [one.clientId, one.secret.replace('souk_', '')],
      [one.clientId, other.secret],
      [one.clientId, ''],
      ['b9b5dc2c-9f04-4f6b-8a1e-0c8d5c7d1f21', one.secret],
      ['nonsense', one.secret],
    ] as const;
    const refusals = await Promise.all(attempts.map(([clientId, secret]) => refusal(tokenOf(clientId, secret))));
    expect(new Set(refusals.map((told) => JSON.stringify(told))).size).toBe(1);
    expect(refusals[0]).toMatchObject({ kind: 'unauthenticated', reason: 'INVALID_CLIENT' });
  });

  it('have two secrets at a time while one is replaced, and the older one can be ended', async () => {
    const { clientId, secret: first } = await create(['orders:read']);
    const second = await rotate(clientId);
    for (const secret of [first, second]) await expect(tokenOf(clientId, secret)).resolves.toBeDefined();
    const third = await rotate(clientId);
    expect(await refusal(tokenOf(clientId, first))).toMatchObject({ reason: 'INVALID_CLIENT' });
    for (const secret of [second, third]) await expect(tokenOf(clientId, secret)).resolves.toBeDefined();
    const older = (await find(clientId))!.secrets[1]!;
    const revoke = () => as(admin, () => replica.clients.revokeClientSecret({ clientId, secretId: older.secretId }));
    await revoke();
    await revoke();
    expect(await refusal(tokenOf(clientId, second))).toMatchObject({ reason: 'INVALID_CLIENT' });
    await expect(tokenOf(clientId, third)).resolves.toBeDefined();
  });

  it('have two secrets and no more, however many are made at once', async () => {
    const { clientId } = await create(['orders:read']);
    await Promise.all(Array.from({ length: 6 }, () => rotate(clientId)));
    expect((await find(clientId))!.secrets).toHaveLength(2);
  });

  it('show when they were used last, and keep their secrets to themselves', async () => {
    const { clientId, secret, client } = await create(['orders:read']);
    expect(client).toMatchObject({ name: 'Warehouse', lastUseTime: undefined, secrets: [{ lastUseTime: undefined }] });
    await tokenOf(clientId, secret);
    const used = await find(clientId);
    expect(used).toMatchObject({ lastUseTime: expect.any(Date), secrets: [{ lastUseTime: expect.any(Date) }] });
    await tokenOf(clientId, secret);
    expect(await find(clientId)).toEqual(used);
    expect(JSON.stringify(used)).not.toContain(secret.slice(5));
    const stored = sql('test.secrets', 'SELECT client_secrets::text AS row FROM client_secrets WHERE client_id = $1');
    const [row] = await identity.postgres.database.query<{ row: string }>(stored, [clientId]);
    expect(row!.row).not.toContain(Buffer.from(secret.slice(5), 'base64url').toString('hex'));
  });

  it('end, with all of their secrets', async () => {
    const { clientId, secret } = await create(['orders:read']);
    for (let n = 0; n < 2; n++) await as(admin, () => replica.clients.revokeClient({ clientId }));
    expect(await refusal(tokenOf(clientId, secret))).toMatchObject({ reason: 'INVALID_CLIENT' });
    expect(await find(clientId)).toBeUndefined();
    expect(await refusal(rotate(clientId))).toMatchObject({ reason: 'CLIENT_NOT_FOUND' });
  });

  describe('let nobody climb:', () => {
    it('who makes them gives nothing that they do not have, nor gets at the secrets of mightier ones', async () => {
      await as(admin, () => replica.roles.createRole({ name: 'maker', permissions: ['clients:write', 'orders:read'] }));
      const person = await newPerson(replica, 'maker@example.com');
      await as(admin, () => replica.users.assignRoles({ userId: person.userId, roles: ['maker'] }));
      const maker = await refreshed(replica, person);
      await expect(create(['orders:read'], maker)).resolves.toBeDefined();
      expect(await refusal(create(['orders:refund'], maker))).toMatchObject({ reason: 'GRANT_TOO_WIDE' });
      const { clientId } = await create(['orders:refund']);
      expect(await refusal(rotate(clientId, maker))).toMatchObject({ reason: 'GRANT_TOO_WIDE' });
    });

    it('a program that was ended makes no other one with what is left of its token', async () => {
      const { clientId, secret } = await create(['clients:write', 'orders:read']);
      const program = await tokenOf(clientId, secret);
      await expect(create(['orders:read'], program)).resolves.toBeDefined();
      expect(await refusal(create(['orders:refund'], program))).toMatchObject({ reason: 'GRANT_TOO_WIDE' });
      await as(admin, () => replica.clients.revokeClient({ clientId }));
      expect(await refusal(create(['orders:read'], program))).toMatchObject({ reason: 'PERMISSION_DENIED' });
    });

    it('programs are no people: what belongs to a person is closed to them', async () => {
      const { clientId, secret } = await create(['users:read']);
      const program = await tokenOf(clientId, secret);
      for (const call of [
        () => replica.sessions.listSessions({}),
        () => replica.account.updateProfile({ name: 'Robot' }),
        () => replica.addressBook.listAddresses({}),
      ]) {
        expect(await refusal(as<unknown>(program, call))).toMatchObject({ reason: 'PERMISSION_DENIED' });
      }
      const { user } = await as(program, () => replica.client.getUser({ userId: admin.userId }));
      expect(user?.userId).toBe(admin.userId);
      expect(await refusal(as(program, () => replica.client.getUser({ userId: '' })))).toMatchObject({
        reason: 'USER_NOT_FOUND',
      });
    });
  });

  it('are not made by customers', async () => {
    const person = await newPerson(replica, 'nobody@example.com');
    expect(await refusal(create(['orders:read'], person))).toMatchObject({ reason: 'PERMISSION_DENIED' });
    expect(await refusal(create(['nonsense']))).toMatchObject({ violations: [{ field: 'permissions' }] });
  });
});
