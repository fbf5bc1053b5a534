/** The file cannot be read, or not beyond a line. */
export class FileFault extends Error {
  override readonly name = 'FileFault';

  /**
   * @param line line that the fault is on; 0 where the whole file is refused
   * @param reason one sentence for the person who sent the file
   */
  constructor(
    readonly line: number,
    readonly reason: string,
  ) {
    super(`line ${line}: ${reason}`);
  }
}
