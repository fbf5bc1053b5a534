import { callContext } from '@souk/telemetry';

/** Time for the answer to travel. */
const MARGIN_MS = 250;

/**
 * Waits for the work, but answers with `otherwise` just before the caller stops waiting. The work goes on, so its
 * failure is then reported to `onLateFailure`.
 */
export async function answerInTime<T>(
  work: Promise<T>,
  otherwise: () => Promise<T>,
  onLateFailure: (error: unknown) => void,
): Promise<T> {
  const { deadline } = callContext();
  if (!deadline) return work;
  const { promise: timeIsUp, resolve } = Promise.withResolvers<'late'>();
  const timer = setTimeout(() => resolve('late'), Math.max(0, deadline.getTime() - Date.now() - MARGIN_MS));
  try {
    const first = await Promise.race([work.then((result) => ({ result })), timeIsUp]);
    if (first !== 'late') return first.result;
    work.catch(onLateFailure);
    return await otherwise();
  } finally {
    clearTimeout(timer);
  }
}
