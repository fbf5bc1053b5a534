import { LOGIN_AT_ADDRESS, LOGIN_FROM_SOURCE, pausesOf } from './limits.js';

describe('the pauses of a limit', () => {
  it('double from the first to the longest, after the free tries', () => {
    const limit = { scope: 'x', free: 3, firstPauseSeconds: 30, longestPauseSeconds: 200, forgetAfterSeconds: 60 };
    expect(pausesOf(limit)).toEqual([0, 0, 30, 60, 120, 200]);
  });

  it('leave a guesser of one password no more than a hundred tries a day', () => {
    const pauses = pausesOf(LOGIN_AT_ADDRESS);
    const perDay = pauses.length + (24 * 3_600) / pauses.at(-1)!;
    expect(perDay).toBeLessThan(110);
  });

  it('lock nobody out for longer than a quarter of an hour', () => {
    expect([LOGIN_AT_ADDRESS, LOGIN_FROM_SOURCE].map((limit) => pausesOf(limit).at(-1))).toEqual([900, 900]);
  });
});
