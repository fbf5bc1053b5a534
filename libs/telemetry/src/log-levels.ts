// Levels of logs that are changed while the process runs. Guarantees: a change ends by itself, and the level that the log was
// made with comes back.
import type { Logger } from 'pino';

interface Known {
  readonly loggers: Set<WeakRef<Logger>>;
  readonly normal: string;
  changed?: { readonly level: string; readonly until: Date; readonly timer: NodeJS.Timeout };
}

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'];
const known = new Map<string, Known>();

/** Makes a log one whose level can be changed, under its name. */
export function rememberLogger(name: string, logger: Logger): void {
  const entry = known.get(name) ?? { loggers: new Set(), normal: logger.level };
  for (const reference of entry.loggers) if (!reference.deref()) entry.loggers.delete(reference);
  entry.loggers.add(new WeakRef(logger));
  known.set(name, entry);
}

/** The levels of all logs, and until when a changed one stays. */
export function logLevels(): Record<string, { level: string; until?: string }> {
  const levels = [...known].map(([name, { normal, changed }]) => [
    name,
    changed ? { level: changed.level, until: changed.until.toISOString() } : { level: normal },
  ]);
  return Object.fromEntries(levels) as Record<string, { level: string; until?: string }>;
}

/** Changes the level for so long. @returns what is wrong with the request */
export function setLogLevel(name: string, level: string, forMs: number): string | undefined {
  const entry = known.get(name);
  if (!entry) return `There is no log ${JSON.stringify(name.slice(0, 50))}; there is ${[...known.keys()].join(', ')}.`;
  if (!LEVELS.includes(level)) return `The level must be one of ${LEVELS.join(', ')}.`;
  clearTimeout(entry.changed?.timer);
  apply(entry, level);
  const timer = setTimeout(() => {
    entry.changed = undefined;
    apply(entry, entry.normal);
  }, forMs).unref();
  entry.changed = { level, until: new Date(Date.now() + forMs), timer };
  return undefined;
}

function apply({ loggers }: Known, level: string): void {
  for (const reference of loggers) {
    const logger = reference.deref();
    if (logger) logger.level = level;
  }
}
