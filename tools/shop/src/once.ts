// Writes that are done once, however often their commands are run. The key of a write is kept before it is sent and forgotten
// when Souk has answered what became of it: who repeats a command that was interrupted, whose answer was lost or which is not
// settled yet (202), sends the same key again.
import { createHash } from 'node:crypto';
import type { Answer, Call } from './api.ts';
import type { Context } from './context.ts';
import { CommandError, EXIT, ProblemError } from './exit-codes.ts';

export interface Write extends Pick<Call, 'json' | 'token' | 'timeoutMs'> {
  method: 'POST' | 'PUT';
  path: string;
  /** Whose write it is, where another person's is another write. */
  as?: string | undefined;
}

/** Statuses that say nothing about what became of the write. */
const UNKNOWN_OUTCOME = [408, 425, 429];
/** Who may not send it now may have sent it before. */
const NOT_LET_IN = [401, 403];

export async function sendOnce<T>({ api, state, output }: Context, write: Write): Promise<Answer<T>> {
  const { path, as, ...call } = write;
  const fingerprint = fingerprintOf([api.url, as ?? '', write.method, path, write.json ?? null]);
  const { key, repeated } = state.keyFor(fingerprint, Date.now());
  if (repeated) output.note('The same was sent before and is not settled: sending it again with the same key.');
  try {
    const answer = await api.call<T>(path, { ...call, headers: { 'idempotency-key': key } });
    if (answer.status !== 202) state.answered(fingerprint);
    if (answer.headers.has('idempotency-replayed'))
      output.note('Souk has done it already, and does it no second time.');
    return answer;
  } catch (error) {
    if (settles(error)) state.answered(fingerprint);
    else if (leavesOpen(error))
      output.note('There is no telling whether it was done. Repeat the command: it is done once.');
    throw error;
  }
}

/** Whether Souk refused the write itself. */
function settles(error: unknown): boolean {
  return error instanceof ProblemError && !NOT_LET_IN.includes(error.problem.status) && !leavesOpen(error);
}

function leavesOpen(error: unknown): boolean {
  if (!(error instanceof ProblemError)) return error instanceof CommandError && error.exitCode === EXIT.unreachable;
  const { status, reason } = error.problem;
  return status >= 500 || UNKNOWN_OUTCOME.includes(status) || reason === 'REQUEST_IN_PROGRESS';
}

function fingerprintOf(write: unknown): string {
  return createHash('sha256').update(JSON.stringify(write)).digest('hex');
}
