/** A start that cannot go on for a reason the person at the terminal can mend: the message is a whole sentence with the cure. */
export class StartupError extends Error {
  override readonly name = 'StartupError';
}
