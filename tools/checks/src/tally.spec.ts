import { FAILED, PASSED, sumOf, summary, tallyOfJest, type JestReport } from './tally.ts';

const report = (numbers: Partial<JestReport>): JestReport => ({
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
  numRuntimeErrorTestSuites: 0,
  ...numbers,
});

describe('the sum of a test run', () => {
  it('adds checks and tests', () => {
    const jest = tallyOfJest(report({ numPassedTests: 40, numFailedTests: 2 }), 1);
    expect(sumOf([PASSED, FAILED, PASSED, jest])).toEqual({ passed: 42, failed: 3, skipped: 0 });
  });

  it('is nothing when nothing ran', () => {
    expect(sumOf([])).toEqual({ passed: 0, failed: 0, skipped: 0 });
  });

  it('counts a suite that could not run as failed', () => {
    expect(tallyOfJest(report({ numPassedTests: 3, numRuntimeErrorTestSuites: 2 }), 1).failed).toBe(2);
  });

  it('counts one failure where jest failed without a failed test', () => {
    expect(tallyOfJest(report({ numPassedTests: 3 }), 1)).toEqual({ passed: 3, failed: 1, skipped: 0 });
  });

  it('counts one failure where jest left no report, whatever its exit code', () => {
    expect(tallyOfJest(undefined, 0)).toEqual(FAILED);
  });

  it('counts pending and planned tests as skipped', () => {
    expect(tallyOfJest(report({ numPendingTests: 2, numTodoTests: 1 }), 0).skipped).toBe(3);
  });
});

describe('the last line', () => {
  it('names passed and failed', () => {
    expect(summary({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  });

  it('names skipped tests where there are any', () => {
    expect(summary({ passed: 12, failed: 1, skipped: 2 })).toBe('12 passed, 1 failed, 2 skipped');
  });
});
