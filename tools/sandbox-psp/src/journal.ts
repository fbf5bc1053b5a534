/**
 * An append-only file of JSON lines. A line that was appended is on the disk (fsync) when `append` resolves, so what was
 * answered survives kill -9 and loss of power. Lines that arrive during a write share the next one. A last line that
 * was cut short by a crash was never answered and is dropped at the next start.
 */
import { mkdirSync } from 'node:fs';
import { open, readFile, truncate, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

export class Journal {
  private readonly file: FileHandle;
  private waiting: { line: string; resolve: () => void; reject: (error: unknown) => void }[] = [];
  private writing: Promise<void> | undefined;

  private constructor(file: FileHandle) {
    this.file = file;
  }

  /** Opens the file and hands each of its records to `replay`, oldest first. */
  static async open(path: string, replay: (record: unknown) => void): Promise<Journal> {
    mkdirSync(dirname(path), { recursive: true });
    const file = await open(path, 'a');
    const bytes = await readFile(path);
    const end = bytes.lastIndexOf(0x0a) + 1;
    if (end < bytes.length) await truncate(path, end);
    for (const line of bytes.subarray(0, end).toString('utf8').split('\n')) {
      if (line !== '') replay(JSON.parse(line));
    }
    return new Journal(file);
  }

  append(record: unknown): Promise<void> {
    const line = JSON.stringify(record) + '\n';
    return new Promise((resolve, reject) => {
      this.waiting.push({ line, resolve, reject });
      this.writing ??= this.write().finally(() => (this.writing = undefined));
    });
  }

  async close(): Promise<void> {
    await this.writing;
    await this.file.close();
  }

  private async write(): Promise<void> {
    // Calls of the same turn of the event loop go into one write.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.waiting.length > 0) {
      const batch = this.waiting;
      this.waiting = [];
      try {
        await this.file.appendFile(batch.map((entry) => entry.line).join(''));
        await this.file.datasync();
        batch.forEach((entry) => entry.resolve());
      } catch (error) {
        batch.forEach((entry) => entry.reject(error));
      }
    }
  }
}
