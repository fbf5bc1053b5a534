import { DomainError } from '@souk/errors';
import type { Import } from '@souk/proto/catalog/v1';
import { EncodingCheck } from './encoding-check.js';
import type { ImportStore } from './import.store.js';
import type { ImportWorker } from './import-worker.js';

const STORED_CHUNK_BYTES = 256 * 1024;

/** Takes a product file on: once this answers, the file is stored and will be imported, whatever dies. */
export class UploadImport {
  constructor(
    private readonly imports: ImportStore,
    private readonly worker: ImportWorker,
    private readonly maxBytes: number,
  ) {}

  async execute(bytes: AsyncIterable<Uint8Array>): Promise<Import> {
    const importId = await this.imports.begin();
    try {
      const { size, fault } = await this.store(importId, bytes);
      if (size === 0) throw importEmpty();
      if (fault) return await this.imports.refuse(importId, size, fault);
      return await this.imports.seal(importId, size);
    } catch (error) {
      await this.imports.discard(importId);
      throw error;
    } finally {
      this.worker.wake();
    }
  }

  private async store(importId: string, bytes: AsyncIterable<Uint8Array>): Promise<{ size: number; fault?: string }> {
    const encoding = new EncodingCheck();
    let size = 0;
    let position = 0;
    for await (const chunk of regroup(bytes)) {
      size += chunk.length;
      if (size > this.maxBytes) throw importTooLarge(this.maxBytes);
      encoding.add(chunk);
      await this.imports.addChunk(importId, position++, chunk);
    }
    return { size, fault: encoding.end() };
  }
}

/** However small the pieces are that a client sends, rows of the table are large. */
async function* regroup(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer> {
  let held: Uint8Array[] = [];
  let heldBytes = 0;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    held.push(piece);
    heldBytes += piece.length;
    if (heldBytes >= STORED_CHUNK_BYTES) {
      yield Buffer.concat(held);
      held = [];
      heldBytes = 0;
    }
  }
  if (heldBytes > 0) yield Buffer.concat(held);
}

function importEmpty(): DomainError {
  return new DomainError({ kind: 'invalid', reason: 'IMPORT_EMPTY', message: 'The file is empty.' });
}

function importTooLarge(maxBytes: number): DomainError {
  return new DomainError({
    kind: 'invalid',
    reason: 'IMPORT_TOO_LARGE',
    message: `The file is larger than ${maxBytes} bytes; split it.`,
    metadata: { maxBytes: String(maxBytes) },
  });
}
