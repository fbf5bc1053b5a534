// What ends a command, and with which exit code.

export const EXIT = { ok: 0, amiss: 1, usage: 2, interrupted: 130 } as const;

/** Ends the command with a sentence for people. */
export class CommandError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = EXIT.amiss) {
    super(message);
    this.exitCode = exitCode;
  }
}

export function usageError(message: string): CommandError {
  return new CommandError(message, EXIT.usage);
}
