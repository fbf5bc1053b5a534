/** One line of a service's log, made readable: time, service, level where it matters, message, and the other fields. */
const COLOURS = [36, 32, 35, 33, 34, 96, 92, 95];
const LEVELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };
const NAME_WIDTH = 13;

interface Entry {
  readonly time?: string | number;
  readonly level?: string | number;
  readonly service?: string;
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** For a terminal. A line that is no JSON object is shown as it is, behind the service's name. */
export function readableLine(service: string, line: string, colour: boolean): string {
  const entry = parseEntry(line);
  const name = paint(service.padEnd(NAME_WIDTH), colourOf(service), colour);
  if (!entry) return `${' '.repeat(8)} ${name} ${line}`;
  const { time, level, service: _service, msg = '', err, ...fields } = entry;
  const details = Object.entries(fields).map(([key, value]) => paint(`${key}=${text(value)}`, 2, colour));
  const words = [clock(time), name, levelMark(level, colour), msg, ...details].filter((word) => word !== '');
  return words.join(' ') + stackOf(err);
}

/** For a file or a pipe: a JSON object per line, whatever the service printed. */
export function jsonLine(service: string, line: string, now: Date): string {
  if (parseEntry(line)) return line;
  return JSON.stringify({ level: 'info', time: now.toISOString(), service, msg: line });
}

function parseEntry(line: string): Entry | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Entry;
  } catch {
    // A text that happens to begin with a brace.
    return undefined;
  }
}

function clock(time: string | number | undefined): string {
  const date = time === undefined ? undefined : new Date(time);
  if (!date || Number.isNaN(date.getTime())) return ' '.repeat(8);
  const parts = [date.getHours(), date.getMinutes(), date.getSeconds()];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}

function levelMark(level: string | number | undefined, colour: boolean): string {
  const name = typeof level === 'number' ? (LEVELS[level] ?? String(level)) : (level ?? 'info');
  if (name === 'info') return '';
  return paint(name.toUpperCase(), name === 'warn' ? 33 : name === 'debug' || name === 'trace' ? 2 : 31, colour);
}

function stackOf(err: unknown): string {
  const { stack, message } = (err ?? {}) as { stack?: string; message?: string };
  const shown = stack ?? message;
  return shown ? `\n${shown.replace(/^/gm, '    ')}` : '';
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function colourOf(service: string): number {
  const sum = [...service].reduce((total, letter) => total * 31 + letter.charCodeAt(0), 7);
  return COLOURS[sum % COLOURS.length] ?? 36;
}

function paint(words: string, code: number, colour: boolean): string {
  return colour ? `\u001B[${code}m${words}\u001B[0m` : words;
}
