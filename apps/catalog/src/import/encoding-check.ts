// Tells whether a stream of bytes is UTF-8 text. Guarantees: a fault anywhere is found before a single row is imported,
// as this runs while the file arrives. UTF-16 is told by its mark or its zero bytes and named.
import { isUtf8 } from 'node:buffer';

const LINE_FEED = 0x0a;
const SNIFFED_BYTES = 256;

export class EncodingCheck {
  private readonly decoder = new TextDecoder('utf-8', { fatal: true });
  private line = 1;
  private started = false;
  private fault?: string;

  add(chunk: Uint8Array): void {
    if (this.fault) return;
    if (!this.started && chunk.length > 0) {
      this.started = true;
      if (looksLikeUtf16(chunk)) {
        this.fault = 'The file is in UTF-16; save it as "CSV UTF-8".';
        return;
      }
    }
    if (!this.decodes(chunk)) this.fault = notUtf8(this.line + linesBeforeFault(chunk));
    this.line += count(chunk);
  }

  /** @returns what is wrong, or undefined for a file in UTF-8 */
  end(): string | undefined {
    if (!this.fault && !this.decodes()) this.fault = notUtf8(this.line);
    return this.fault;
  }

  private decodes(chunk?: Uint8Array): boolean {
    try {
      this.decoder.decode(chunk, { stream: chunk !== undefined });
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA') return false;
      throw error;
    }
  }
}

function notUtf8(line: number): string {
  return `The file is not in UTF-8: line ${line} holds bytes of another encoding; save it as "CSV UTF-8".`;
}

function looksLikeUtf16(start: Uint8Array): boolean {
  const mark = `${start[0]},${start[1]}`;
  if (mark === '255,254' || mark === '254,255') return true;
  const head = start.subarray(0, SNIFFED_BYTES);
  return head.length > 4 && head.filter((byte) => byte === 0).length > head.length / 4;
}

/** Lines before the one to blame. Letters that the chunk's borders cut in two are not blamed. */
function linesBeforeFault(chunk: Uint8Array): number {
  let lines = 0;
  let start = cutLetter(chunk);
  for (let end = chunk.indexOf(LINE_FEED, start); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
    if (!isUtf8(chunk.subarray(start, end))) return lines;
    lines += 1;
    start = end + 1;
  }
  const rest = chunk.subarray(start);
  const whole = [0, 1, 2, 3].some((cut) => isUtf8(rest.subarray(0, Math.max(0, rest.length - cut))));
  return whole ? 0 : lines;
}

/** How many bytes at the start belong to a letter that began in the chunk before. */
function cutLetter(chunk: Uint8Array): number {
  const start = chunk.subarray(0, 3).findIndex((byte) => (byte & 0xc0) !== 0x80);
  return start === -1 ? Math.min(3, chunk.length) : start;
}

function count(chunk: Uint8Array): number {
  let lines = 0;
  for (let at = chunk.indexOf(LINE_FEED); at !== -1; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
  return lines;
}
