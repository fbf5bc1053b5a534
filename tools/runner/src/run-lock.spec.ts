import { isHeld } from './run-lock.ts';

const holder = { pid: 4711, start: 'boot/100', infraOnly: false };

describe('the lock of a data folder', () => {
  it('is held while the process that took it runs', () => {
    expect(isHeld(holder, (pid, start) => pid === 4711 && start === 'boot/100')).toBe(true);
  });

  it('is stale when its process has ended', () => {
    expect(isHeld(holder, () => false)).toBe(false);
  });

  it('is stale when the pid belongs to another process by now', () => {
    expect(isHeld(holder, (pid, start) => pid === 4711 && start === 'boot/999')).toBe(false);
  });
});
