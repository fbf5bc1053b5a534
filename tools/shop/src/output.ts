// What a command prints: its result on stdout (with --json one JSON document per line), everything else on stderr.
// Colours and the moving progress line only on a terminal; NO_COLOR is heeded.
import { styleText } from 'node:util';
import { plain } from './text.ts';

type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow';

export class Output {
  readonly json: boolean;
  #progressShown = false;

  constructor(json: boolean) {
    this.json = json;
  }

  /** The result: the document for programs, or its text for people. */
  result(document: unknown, text: () => string): void {
    process.stdout.write(this.json ? `${JSON.stringify(document ?? null)}\n` : `${text()}\n`);
  }

  /** A remark beside the result. */
  note(text: string): void {
    this.clearProgress();
    process.stderr.write(`${text}\n`);
  }

  error(text: string): void {
    this.note(
      `${styleText('red', 'Error:', { stream: process.stderr })} ${text.split('\n').map(keepIndent).join('\n')}`,
    );
  }

  style(style: Style, text: string): string {
    return styleText(style, text, { stream: process.stdout });
  }

  /** A line that replaces itself on a terminal, and is not printed elsewhere. */
  progress(text: string): void {
    if (!process.stderr.isTTY) return;
    this.#progressShown = true;
    process.stderr.write(`\r\x1b[K${text.slice(0, (process.stderr.columns || 80) - 1)}`);
  }

  clearProgress(): void {
    if (this.#progressShown) process.stderr.write('\r\x1b[K');
    this.#progressShown = false;
  }
}

/** `[#####     ]  50 %` */
export function bar(done: number, total: number, width = 24): string {
  const share = total > 0 ? Math.min(1, done / total) : 0;
  const filled = Math.round(share * width);
  return `[${'#'.repeat(filled)}${' '.repeat(width - filled)}] ${String(Math.floor(share * 100)).padStart(3)} %`;
}

function keepIndent(line: string): string {
  return (/^ */.exec(line)?.[0] ?? '') + plain(line);
}
