// For what becomes true by itself, soon: asks again until it holds. Fails with the last reason, not with a bare timeout.
import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats the assertion until it passes; answers its result. Fails with its last error. */
export async function eventually<T>(
  assertion: () => T | Promise<T>,
  { timeoutMs = 5_000, intervalMs = 20 }: { timeoutMs?: number; intervalMs?: number } = {},
): Promise<T> {
  const until = Date.now() + timeoutMs;
  for (;;) {
    try {
      return await assertion();
    } catch (error) {
      if (Date.now() >= until) {
        throw error;
      }
    }
    await sleep(intervalMs);
  }
}
