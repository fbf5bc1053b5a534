// How often something may be tried, and how long whoever goes on has to wait: a few tries are free, then each costs a pause
// that doubles. Pauses end by themselves, and soon enough that nobody is locked out for long by what others try.

export interface Limit {
  /** What is counted; the same subject under another scope is another count. */
  readonly scope: string;
  /** Tries without a pause. */
  readonly free: number;
  /** The first pause; each further one is twice as long. */
  readonly firstPauseSeconds: number;
  readonly longestPauseSeconds: number;
  /** A count begins again when nothing was tried for so long. */
  readonly forgetAfterSeconds: number;
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Log-ins at an address, whether it has an account or not. */
export const LOGIN_AT_ADDRESS: Limit = {
  scope: 'login',
  free: 5,
  firstPauseSeconds: 30,
  longestPauseSeconds: 15 * MINUTE,
  forgetAfterSeconds: DAY,
};

/** Log-ins and codes from one place: many people may share it, and one may try many accounts. */
export const LOGIN_FROM_SOURCE: Limit = {
  scope: 'source',
  free: 50,
  firstPauseSeconds: 30,
  longestPauseSeconds: 15 * MINUTE,
  forgetAfterSeconds: HOUR,
};

/** Checks of the password by who is logged in already. */
export const PASSWORD_OF_USER: Limit = { ...LOGIN_AT_ADDRESS, scope: 'password' };

/** Codes of a second factor, by who knows the password or is logged in. */
export const CODE_OF_USER: Limit = { ...LOGIN_AT_ADDRESS, scope: 'code' };

/** Mails that anybody can have sent to an address. */
export const MAIL_TO_ADDRESS: Limit = {
  scope: 'mail',
  free: 4,
  firstPauseSeconds: 10 * MINUTE,
  longestPauseSeconds: 4 * HOUR,
  forgetAfterSeconds: DAY,
};

/** How long a row can matter: longer than any limit remembers and pauses. */
export const FORGET_ALL_AFTER_SECONDS = 2 * DAY;

/** The most rows that are kept; the ones that were used least recently go. */
export const ROWS_AT_MOST = 200_000;

/** The pauses after the first try, the second and so on; the last one is that of all further tries. */
export function pausesOf({ free, firstPauseSeconds, longestPauseSeconds }: Limit): number[] {
  const pauses = Array.from({ length: free - 1 }, () => 0);
  let next = firstPauseSeconds;
  for (; next < longestPauseSeconds; next *= 2) pauses.push(next);
  return [...pauses, longestPauseSeconds];
}
