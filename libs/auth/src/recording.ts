// What is recorded of an RPC's calls, by the rules that let them in. Imports nothing, so that the page of permissions can be made
// of it before anything is built.

/** `before` the work and after it, the `outcome` alone, or `refusals` only. */
export type Recording = 'before' | 'outcome' | 'refusals';

/** RPCs that change nothing, by their names. */
export const READS = /^(get|list|batchGet)/i;

/** The operators' command, which acts like a person with a permission. */
export const OPERATORS = 'ops';

const BY_SERVICE = 'service:';

/**
 * @param name of the RPC, for example `GetOrder`
 * @param admitting the rules that let the call in
 * @param privileged whether the caller has the permission that the RPC names with `@Privileged`
 */
export function recordingOf(name: string, admitting: readonly string[], privileged: boolean): Recording {
  const words = admitting.filter((rule) => !rule.startsWith(BY_SERVICE));
  const byPermission = words.some((rule) => rule.includes(':'));
  if (privileged || byPermission || admitting.includes(`${BY_SERVICE}${OPERATORS}`)) return 'before';
  return words.length === 0 || READS.test(name) ? 'refusals' : 'outcome';
}
