// What ends a command, and with which exit code.

export const EXIT = { ok: 0, refused: 1, usage: 2, unreachable: 3, interrupted: 130 } as const;

/** Ends the command with a sentence for people. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.refused) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}

export function unreachable(url: string): CommandError {
  return new CommandError(
    `Souk does not answer at ${url}. Start it with \`npm start\`, or set SOUK_URL to where it runs.`,
    EXIT.unreachable,
  );
}

/** An answer of Souk that says no (RFC 9457). */
export interface Problem {
  status: number;
  title?: string;
  detail?: string;
  reason?: string;
  requestId?: string;
  errors?: { field: string; message: string }[];
  shortages?: { sku: string; requested: number; available: number }[];
  [more: string]: unknown;
}

/** Ends the command with the problem that Souk answered; `--json` prints it whole. */
export class ProblemError extends CommandError {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(sentenceOf(problem));
    this.problem = problem;
  }
}

function sentenceOf({ status, title, detail, reason, errors = [] }: Problem): string {
  const what = detail ?? title ?? `Souk answered ${status}.`;
  const fields = errors.map(({ field, message }) => `\n  ${field}: ${message}`);
  return `${what}${reason ? ` (${reason})` : ''}${fields.join('')}`;
}
