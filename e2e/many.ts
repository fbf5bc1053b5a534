/** Many calls at once, and what came of them. */
import type { Answer, Order, Problem } from './client.js';

/** Does the work so many times, with at most so many under way. */
export async function times<T>(count: number, work: () => Promise<T>, atOnce = count): Promise<T[]> {
  const results: T[] = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) results.push(await work());
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** How many answers there were of each kind. */
export function tally(answers: readonly Answer<Partial<Order & Problem>>[]): Record<string, number> {
  const kinds = answers.map(({ status, body }) => `${status} ${body.reason ?? body.state ?? ''}`);
  return Object.fromEntries([...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length]));
}
