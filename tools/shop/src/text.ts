// Text for a terminal. What comes from the shop is data: control characters in it never reach the terminal.
import { formatMoney } from '@souk/money';

/** An amount in the REST API: minor units. */
export interface Price {
  amount: number;
  currency: string;
}

export interface Column<Row> {
  title: string;
  value: (row: Row) => string;
  align?: 'right';
  /** Longest text; what is longer ends with an ellipsis. */
  max?: number;
}

const WIDEST_CELL = 48;

/** `$19.99`, with as many digits as the currency has. */
export function price({ amount, currency }: Price): string {
  return formatMoney({ amount: BigInt(amount), currency });
}

/** One line without control characters. */
export function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
}

export function shortened(text: string, max: number): string {
  const characters = [...text];
  return characters.length <= max ? text : `${characters.slice(0, max - 1).join('')}…`;
}

/** Rows below their titles, two spaces between columns. */
export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const cells = [
    columns.map(({ title }) => title),
    ...rows.map((row) => columns.map(({ value, max = WIDEST_CELL }) => shortened(plain(value(row)), max))),
  ];
  const widths = columns.map((_, index) => Math.max(...cells.map((line) => [...(line[index] ?? '')].length)));
  return cells
    .map((line) =>
      line
        .map((cell, index) => padded(cell, widths[index] ?? 0, columns[index]?.align))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** HTML as running text, for a look at it. */
export function textOfHtml(html: string): string {
  const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' };
  const text = html.replace(/<[^>]*>/g, ' ').replace(/&(#39|\w+);/g, (whole, name: string) => entities[name] ?? whole);
  return plain(text.replace(/\s+/g, ' '));
}

function padded(text: string, width: number, align: 'right' | undefined): string {
  const space = ' '.repeat(Math.max(0, width - [...text].length));
  return align === 'right' ? space + text : text + space;
}
