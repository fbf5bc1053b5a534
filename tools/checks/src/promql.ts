// What a PromQL expression asks for: enough of its grammar to find names, not to judge it; that is promtool's.

/** Names in an expression: metrics, each with the labels that are asked of it, and labels that results are grouped by. */
export interface Named {
  readonly metrics: readonly { readonly name: string; readonly labels: readonly string[] }[];
  readonly groupedBy: readonly string[];
}

const WORDS = new Set([
  'and',
  'or',
  'unless',
  'bool',
  'offset',
  'by',
  'without',
  'on',
  'ignoring',
  'group_left',
  'group_right',
]);
const GROUPING = /\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g;
const SELECTOR = /([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?\s*(\[[^\]]*\])?\s*(\()?/g;

export function namesIn(expression: string): Named {
  const text = expression.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  const groupedBy = [...text.matchAll(GROUPING)].flatMap(([, labels = '']) => listed(labels));
  const metrics = [
    ...text
      .replace(GROUPING, ' ')
      .replace(/\b\d[\w.]*/g, ' ')
      .matchAll(SELECTOR),
  ]
    .filter(([, name = '', , , call]) => !call && !WORDS.has(name))
    .map(([, name = '', matchers = '']) => ({
      name,
      labels: listed(matchers.replace(/[{}]/g, '').replace(/[=!~]+""/g, '')),
    }));
  return { metrics, groupedBy };
}

function listed(labels: string): string[] {
  return labels
    .split(',')
    .map((label) => label.trim())
    .filter((label) => label !== '');
}
