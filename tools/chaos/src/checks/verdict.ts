/** What became of one invariant: how much was compared, and what broke it. */
export interface Verdict {
  readonly id: string;
  readonly title: string;
  readonly compared: number;
  readonly violations: readonly string[];
}

/** Says what must hold; the sentence tells what is wrong where it does not. */
export type Expect = (holds: boolean, otherwise: () => string) => void;

/** Judges one invariant by everything that `look` expects. */
export function judge(id: string, title: string, look: (expect: Expect) => void): Verdict {
  const violations: string[] = [];
  let compared = 0;
  look((holds, otherwise) => {
    compared += 1;
    if (!holds) violations.push(otherwise());
  });
  return { id, title, compared, violations };
}

export function sumBy<T>(
  items: Iterable<T>,
  key: (item: T) => string,
  value: (item: T) => number,
): Map<string, number> {
  const sums = new Map<string, number>();
  for (const item of items) sums.set(key(item), (sums.get(key(item)) ?? 0) + value(item));
  return sums;
}

export function countBy<T>(items: Iterable<T>, key: (item: T) => string): Map<string, number> {
  return sumBy(items, key, () => 1);
}
