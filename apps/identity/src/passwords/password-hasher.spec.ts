import { parseOptions } from '@node-rs/argon2';
import { hasReason } from '@souk/errors';
import { PasswordHasher } from './password-hasher.js';

describe('password hashing', () => {
  const hasher = new PasswordHasher();

  it('hashes by argon2id with 19 MiB, two passes and one lane', async () => {
    const stored = await hasher.hash('a quiet garden');
    expect(stored).toMatch(/^\$argon2id\$/);
    expect(parseOptions(stored)).toMatchObject({ memoryCost: 19_456, timeCost: 2, parallelism: 1 });
  });

  it('matches the right password only', async () => {
    const stored = await hasher.hash('a quiet garden');
    expect(await hasher.matches('a quiet garden', stored)).toBe(true);
    expect(await hasher.matches('a quiet Garden', stored)).toBe(false);
  });

  it('takes composed and decomposed characters for the same', async () => {
    expect(await hasher.matches('caf\u0065\u0301 au lait', await hasher.hash('caf\u00e9 au lait'))).toBe(true);
  });

  it('lets nobody in where there is no hash, not even with the decoy password', async () => {
    expect(await hasher.matches('nobody', undefined)).toBe(false);
  });

  it('refuses what it could not get to in time, and goes on afterwards', async () => {
    const results = await Promise.allSettled(Array.from({ length: 210 }, () => hasher.matches('x', 'not a hash')));
    const refused = results.filter((result) => result.status === 'rejected' && hasReason(result.reason, 'OVERLOADED'));
    expect(refused).toHaveLength(8);
    expect(await hasher.matches('nobody', undefined)).toBe(false);
  });
});
