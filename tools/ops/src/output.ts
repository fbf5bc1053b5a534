// What a command prints: its result on stdout, or with --json one JSON document; everything else on stderr.
import { plain } from '@souk/shop/text';

export class Output {
  readonly #json: boolean;

  constructor(json: boolean) {
    this.#json = json;
  }

  /** The result: the document for programs, or its text for people. */
  result(document: unknown, text: () => string): void {
    process.stdout.write(`${this.#json ? JSON.stringify(document, withoutBigints) : text()}\n`);
  }

  /** A remark beside the result. */
  note(text: string): void {
    process.stderr.write(`${plain(text)}\n`);
  }

  error(sentence: string): void {
    process.stderr.write(`Error: ${plain(sentence)}\n`);
  }
}

function withoutBigints(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

/** A time as people read it and as the commands take it. */
export function timeText(time: Date | undefined): string {
  return time ? `${time.toISOString().slice(0, 19)}Z` : 'never';
}
