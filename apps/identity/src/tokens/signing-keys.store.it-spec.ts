import { randomBytes } from 'node:crypto';
import { testDatabase, type TestDatabase } from '@souk/testing';
import { KeyCipher } from '../key-cipher.js';
import { SigningKeys } from './signing-keys.js';
import { SigningKeysStore } from './signing-keys.store.js';

const newCipher = () => new KeyCipher(randomBytes(32).toString('base64'));

describe('signing keys', () => {
  let postgres: TestDatabase;

  beforeAll(async () => {
    postgres = await testDatabase({ migrations: 'apps/identity/migrations' });
  });

  afterAll(() => postgres.drop());

  it('are one, also when five replicas make one at once', async () => {
    const cipher = newCipher();
    const store = new SigningKeysStore(postgres.database);
    const replicas = Array.from({ length: 5 }, () => new SigningKeys(store, cipher));
    await Promise.all(replicas.map((keys) => keys.load()));
    expect(new Set(replicas.map((keys) => keys.current().keyId)).size).toBe(1);
    expect(await store.list()).toHaveLength(1);
  });

  it('do not open with another key for encryption, which is said in a plain sentence', async () => {
    const keys = new SigningKeys(new SigningKeysStore(postgres.database), newCipher());
    await expect(keys.load()).rejects.toThrow('SOUK_KEY_ENCRYPTION_KEY is wrong: it does not open the signing key');
  });
});
