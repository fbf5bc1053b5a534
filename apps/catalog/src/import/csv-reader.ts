// Reads CSV from a stream of bytes in memory bounded by the longest row. Guarantees: each row comes with the line it
// begins on, counted as a text editor counts, and all rows before a fault are given out before the fault is thrown.
// Does not check the encoding and does not know what the columns mean.
import { finished } from 'node:stream/promises';
import { parse, type CsvError } from 'csv-parse';
import { FileFault } from './file-fault.js';

// Rows are parsed in slices, so that a large file leaves the process time for other calls.
const SLICE_BYTES = 64 * 1024;
const MAX_ROW_LENGTH = 4 * 1024 * 1024;
const LINE_BREAK = /\r\n|\r|\n/g;

export interface CsvRow {
  /** Line the row begins on; the first is 1. */
  line: number;
  /** Bytes of the file up to the end of this row. */
  endByte: number;
  fields: string[];
}

/** @throws FileFault at the line of a quote that is never closed, or that stands where none may. */
export async function* readCsv(bytes: AsyncIterable<Uint8Array>): AsyncGenerator<CsvRow> {
  const reader = new RowCollector();
  for await (const chunk of bytes) {
    for (let start = 0; start < chunk.length; start += SLICE_BYTES) {
      await reader.write(chunk.subarray(start, start + SLICE_BYTES));
      yield* reader.take();
      reader.throwFault();
    }
  }
  await reader.end();
  yield* reader.take();
  reader.throwFault();
}

interface RawRecord {
  record: string[];
  raw: string;
}

/** Takes rows by callback and not from the parser's readable side, which drops what is buffered when a fault comes. */
class RowCollector {
  private rows: CsvRow[] = [];
  private nextLine = 1;
  private fault?: CsvError;
  private readonly parser = parse({
    bom: true,
    raw: true,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    max_record_size: MAX_ROW_LENGTH,
    on_record: (row: unknown, { bytes }) => {
      const { record, raw } = row as RawRecord;
      this.rows.push({ line: this.nextLine, endByte: bytes, fields: record });
      this.nextLine += lineBreaks(raw);
      return null;
    },
  });
  private readonly ended: Promise<void>;

  constructor() {
    this.ended = finished(this.parser.resume()).catch((error: CsvError) => this.stop(error));
  }

  write(slice: Uint8Array): Promise<void> {
    return new Promise((resolve) => {
      this.parser.write(slice, (error) => {
        if (error) this.stop(error as CsvError);
        resolve();
      });
    });
  }

  private stop(error: CsvError): void {
    this.fault ??= error;
  }

  async end(): Promise<void> {
    this.parser.end();
    await this.ended;
  }

  take(): CsvRow[] {
    const taken = this.rows;
    this.rows = [];
    return taken;
  }

  throwFault(): void {
    if (this.fault) throw explain(this.fault, this.nextLine);
  }
}

function explain(error: CsvError, rowLine: number): Error {
  const raw = typeof error['raw'] === 'string' ? error['raw'] : '';
  const opened = rowLine + lineBreaks(raw.slice(0, lastOpeningQuote(raw)));
  switch (error.code as string) {
    case 'CSV_QUOTE_NOT_CLOSED':
      return new FileFault(opened, 'A quote opens on this line and is never closed.');
    case 'CSV_INVALID_CLOSING_QUOTE':
      return new FileFault(
        opened,
        'A quote opens on this line and is not closed before the next cell; a quote inside a quoted cell is written twice.',
      );
    case 'INVALID_OPENING_QUOTE':
    case 'CSV_INVALID_OPENING_QUOTE':
      return new FileFault(
        rowLine + lineBreaks(raw),
        'A quote stands inside a cell that does not begin with one; put the cell in quotes and write the quote twice.',
      );
    case 'CSV_MAX_RECORD_SIZE':
      return new FileFault(opened, `The row is longer than ${MAX_ROW_LENGTH} characters; is a quote left open?`);
    default:
      return error;
  }
}

function lineBreaks(text: string): number {
  return text.match(LINE_BREAK)?.length ?? 0;
}

/** Up to a fault quotes come in pairs, so every other one opens a cell, save the second of a doubled quote. */
function lastOpeningQuote(raw: string): number {
  let opening = 0;
  let inside = false;
  for (let at = raw.indexOf('"'); at !== -1; at = raw.indexOf('"', at + 1)) {
    if (!inside && raw[at - 1] !== '"') opening = at;
    inside = !inside;
  }
  return opening;
}
