import { isUniqueViolation, sql } from '@souk/postgres';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { UsersStore, type NewUser } from './users.store.js';

describe('accounts', () => {
  let postgres: TestDatabase;
  let users: UsersStore;

  beforeAll(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
    users = new UsersStore(postgres.database);
  });

  afterAll(() => postgres.drop());

  const aUser = (email: string): NewUser => ({ email, name: 'Ada', roles: ['customer'], passwordHash: 'x' });
  const insert = (email: string) => postgres.database.transaction((tx) => users.insert(tx, aUser(email)));
  const own = (userId: string, email: string) => postgres.database.transaction((tx) => users.own(tx, userId, email));
  const eventsOf = (userId: string) =>
    postgres.database.query<{ type: string }>(
      sql('test.events', 'SELECT type FROM outbox WHERE aggregate_id = $1 ORDER BY sequence'),
      [userId],
    );

  it('may carry the same address as often as one likes, until one of them proves it', async () => {
    const [first, second, third] = [
      await insert('a@example.com'),
      await insert('A@example.com'),
      await insert('a@EXAMPLE.com'),
    ];
    expect((await users.findNewestWithoutProof('a@example.com'))?.userId).toBe(third.userId);
    expect(await users.findOwner('a@example.com')).toBeUndefined();
    expect(await own(second.userId, 'A@example.com')).toMatchObject({ email: 'A@example.com', emailVerified: true });
    expect((await users.findOwner('a@example.com'))?.userId).toBe(second.userId);
    for (const { userId } of [first, third]) {
      expect(await users.find(userId)).toMatchObject({ email: '', emailVerified: false });
    }
    expect(await users.findNewestWithoutProof('a@example.com')).toBeUndefined();
  });

  it('own an address alone, also when ten prove it at once', async () => {
    const ten = await Promise.all(Array.from({ length: 10 }, () => insert('ten@example.com')));
    const results = await Promise.allSettled(ten.map(({ userId }) => own(userId, 'ten@example.com')));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(isUniqueViolation(result.reason, 'users_verified_email')).toBe(true);
    }
  });

  it('tell of what happens to them, and of nothing that was undone', async () => {
    const { userId } = await insert('told@example.com');
    await own(userId, 'told@example.com');
    const undone = postgres.database.transaction(async (tx) => {
      await users.delete(tx, userId);
      throw new Error('not today');
    });
    await expect(undone).rejects.toThrow('not today');
    expect((await eventsOf(userId)).map(({ type }) => type.split('.').at(-1))).toEqual([
      'UserRegistered',
      'EmailVerified',
    ]);
    await postgres.database.transaction((tx) => users.delete(tx, userId));
    expect((await eventsOf(userId)).at(-1)?.type).toBe('souk.identity.v1.UserDeleted');
    expect(await users.find(userId)).toBeUndefined();
  });
});
