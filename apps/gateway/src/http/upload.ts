/**
 * A request's body as chunks for a gRPC stream. Nothing is gathered: a chunk is read when the one before has been taken,
 * so memory stays bounded however large the file and however slow the service.
 */
import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { DomainError } from '@souk/errors';

const CHUNK_BYTES = 64 * 1024;

/** @throws DomainError IMPORT_TOO_LARGE where the client says beforehand that it sends too much */
export function checkAnnouncedSize(headers: IncomingMessage['headers'], maxBytes: number): void {
  if (Number(headers['content-length'] ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** @throws DomainError IMPORT_TOO_LARGE after `maxBytes`, UPLOAD_ABORTED where the client went away */
export async function* chunksOf(body: Readable, maxBytes: number): AsyncGenerator<{ chunk: Buffer }> {
  let received = 0;
  try {
    // Leaving early must not close the connection: the client is still owed an answer.
    for await (const bytes of body.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      received += bytes.length;
      if (received > maxBytes) throw tooLarge(maxBytes);
      for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
        yield { chunk: bytes.subarray(start, start + CHUNK_BYTES) };
      }
    }
  } catch (error) {
    if (error instanceof DomainError) throw error;
    throw new DomainError({
      kind: 'invalid',
      reason: 'UPLOAD_ABORTED',
      message: 'The upload broke off before its end.',
      cause: error,
    });
  } finally {
    // What is not wanted any more is read and dropped, or the connection would stand still.
    body.resume();
  }
}

function tooLarge(maxBytes: number): DomainError {
  return new DomainError({
    kind: 'invalid',
    reason: 'IMPORT_TOO_LARGE',
    message: `A product file may have ${maxBytes} bytes at most; split it.`,
    metadata: { maxBytes: String(maxBytes) },
  });
}
