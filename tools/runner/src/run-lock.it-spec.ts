import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lockHolder, releaseLock, takeLock } from './run-lock.ts';

describe('the lock file', () => {
  let folder: string;
  let lock: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'souk-lock-'));
    lock = join(folder, 'lock');
  });

  afterEach(() => rmSync(folder, { recursive: true }));

  it('goes to the first and names him to the second', () => {
    expect(takeLock(lock, true)).toBeUndefined();
    expect(takeLock(lock, false)).toMatchObject({ pid: process.pid, infraOnly: true });
  });

  it('is free again when it was given back', () => {
    takeLock(lock, false);
    releaseLock(lock);
    expect(lockHolder(lock)).toBeUndefined();
    expect(takeLock(lock, false)).toBeUndefined();
  });

  it.each([JSON.stringify({ pid: process.pid, start: 'an earlier process' }), '', '{'])(
    'is taken over from a holder that was killed: %p',
    (left) => {
      writeFileSync(lock, left);
      expect(takeLock(lock, false)).toBeUndefined();
      expect(lockHolder(lock)).toMatchObject({ pid: process.pid });
      expect(readdirSync(folder)).toEqual(['lock']);
    },
  );
});
