// What ends a command, and with which exit code: a CommandError with 1 unless it says otherwise.
export { CommandError, usageError } from '@souk/shop/exit-codes';

export const EXIT = { ok: 0, amiss: 1, usage: 2, interrupted: 130 } as const;
