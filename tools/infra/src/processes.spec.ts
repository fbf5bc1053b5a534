import { isRunning, processStart } from './processes.ts';

describe('the identity of a process', () => {
  it('stays the same for the life of a process', () => {
    expect(processStart(process.pid)).toBe(processStart(process.pid));
    expect(isRunning(process.pid, processStart(process.pid))).toBe(true);
  });

  it('does not take a process for another one that had the same pid', () => {
    expect(isRunning(process.pid, 'some earlier start')).toBe(false);
  });

  it('knows that there is no process with an impossible pid', () => {
    expect(isRunning(2 ** 30)).toBe(false);
  });
});
