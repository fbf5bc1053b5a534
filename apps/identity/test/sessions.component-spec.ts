import { sql } from '@souk/postgres';
import {
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

const ENDED = { kind: 'unauthenticated', reason: 'SESSION_ENDED' };
const DEVICE = { address: '203.0.113.7', userAgent: 'Shop/1.0' };

describe('sessions', () => {
  let identity: IdentityUnderTest;
  let replica: Replica;

  beforeAll(async () => {
    identity = await IdentityUnderTest.prepare();
    replica = await identity.start();
  });

  afterAll(() => identity.tearDown());

  const refresh = async ({ refreshToken }: Person) => toPerson(await replica.client.refreshSession({ refreshToken }));
  const login = async (email: string, device = DEVICE) =>
    toPerson(await replica.client.login({ email, password: PASSWORD, device }));
  const list = async (person: Person) => (await as(person, () => replica.sessions.listSessions({}))).sessions;
  const pass = (seconds: number) =>
    identity.postgres.database.query(
      sql('test.pass', 'UPDATE sessions SET rotated_at = rotated_at - make_interval(secs => $1)'),
      [seconds],
    );

  it('go on with each new refresh token', async () => {
    const first = await newPerson(replica, 'rotate@example.com');
    const second = await refresh(first);
    const third = await refresh(second);
    expect(third.userId).toBe(first.userId);
    expect(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size).toBe(3);
  });

  it('give who lost the answer the same refresh token again, also from another replica', async () => {
    const first = await newPerson(replica, 'lost@example.com');
    const other = await identity.start();
    const second = await refresh(first);
    const again = toPerson(await other.client.refreshSession({ refreshToken: first.refreshToken }));
    expect(again.refreshToken).toBe(second.refreshToken);
    await expect(refresh(again)).resolves.toBeDefined();
  });

  it('end when an old refresh token is used later, and their owner is told', async () => {
    const first = await newOwner(identity, replica, 'reuse@example.com');
    const second = await refresh(first);
    await pass(11);
    expect(await refusal(refresh(first))).toMatchObject(ENDED);
    expect(await refusal(refresh(second))).toMatchObject(ENDED);
    expect(await identity.mailKinds(first.email, 2)).toEqual(['VERIFY_EMAIL', 'SESSION_ENDED']);
    await refusal(refresh(first));
    await identity.mailsSettled();
    expect(identity.mailsTo(first.email)).toHaveLength(2);
  });

  it('end when a token is used that was replaced twice', async () => {
    const first = await newPerson(replica, 'twice@example.com');
    const third = await refresh(await refresh(first));
    expect(await refusal(refresh(first))).toMatchObject(ENDED);
    expect(await refusal(refresh(third))).toMatchObject(ENDED);
  });

  it('end by logging out, as often as one likes, and leave other sessions alone', async () => {
    const person = await newPerson(replica, 'logout@example.com');
    const other = await login(person.email);
    for (const refreshToken of [person.refreshToken, person.refreshToken, 'nonsense']) {
      await replica.client.logout({ refreshToken });
    }
    expect(await refusal(refresh(person))).toMatchObject(ENDED);
    await expect(refresh(other)).resolves.toBeDefined();
  });

  it('are listed with where they were used last', async () => {
    const person = await newPerson(replica, 'list@example.com');
    const other = await login(person.email);
    const { refreshToken } = other;
    await replica.client.refreshSession({ refreshToken, device: { address: '198.51.100.2', userAgent: 'Shop/1.1' } });
    const times = {
      createTime: expect.any(Date),
      lastUseTime: expect.any(Date),
      expireTime: expect.any(Date),
      sessionId: expect.any(String),
    };
    expect(await list(person)).toEqual([
      { ...times, device: { address: '198.51.100.2', userAgent: 'Shop/1.1' }, current: false },
      { ...times, device: { address: '', userAgent: '' }, current: true },
    ]);
  });

  it('are ended one by one or all but the present one, by their owner alone', async () => {
    const person = await newPerson(replica, 'end@example.com');
    const [one, other, third] = [await login(person.email), await login(person.email), await login(person.email)];
    const target = (await list(one)).find(({ current }) => current)!.sessionId;
    const stranger = await newPerson(replica, 'stranger@example.com');
    await as(stranger, () => replica.sessions.revokeSession({ sessionId: target }));
    expect(await list(person)).toHaveLength(4);
    for (const sessionId of [target, target, 'nonsense']) {
      await as(person, () => replica.sessions.revokeSession({ sessionId }));
    }
    expect(await refusal(refresh(one))).toMatchObject(ENDED);
    expect(await as(person, () => replica.sessions.revokeOtherSessions({}))).toEqual({ count: 2 });
    for (const ended of [other, third]) expect(await refusal(refresh(ended))).toMatchObject(ENDED);
    await expect(refresh(person)).resolves.toBeDefined();
  });

  it('are not for guests', async () => {
    for (const call of [() => replica.sessions.listSessions({}), () => replica.sessions.revokeOtherSessions({})]) {
      expect(await refusal(call())).toMatchObject({ reason: 'UNAUTHENTICATED' });
    }
  });
});
