import { request as httpRequest } from 'node:http';
import { DomainError } from '@souk/errors';
import { NOON, ORDER_ID } from './builders.js';
import { runGateway, type RunningGateway } from './running-gateway.js';

let gateway: RunningGateway;

beforeAll(async () => void (gateway = await runGateway()));
afterAll(() => gateway.stop());

describe('imports', () => {
  it('stream a file of 20 MB in small chunks, no faster than they are taken', async () => {
    let [bytes, largest, sentWhilePaused] = [0, 0, 0];
    const progress = { sent: 0 };
    gateway.services.answers.catalog.importProducts = async (chunks) => {
      for await (const { chunk } of chunks) {
        if (bytes === 0) await new Promise((resolve) => setTimeout(resolve, 1_000));
        if (bytes === 0) sentWhilePaused = progress.sent;
        bytes += chunk.length;
        largest = Math.max(largest, chunk.length);
      }
      return { import: anImport() };
    };
    const answer = await upload(20 * 1024 * 1024, {}, progress);
    expect(answer).toMatchObject({ status: 202, location: `/v1/imports/${ORDER_ID}`, body: { id: ORDER_ID } });
    expect(bytes).toBe(20 * 1024 * 1024);
    expect(largest).toBeLessThanOrEqual(64 * 1024);
    // What is under way fills the buffers of two connections, and no more.
    expect(sentWhilePaused).toBeLessThan(16 * 1024 * 1024);
  });

  it('are refused at once where the file is announced as too large', async () => {
    const answer = await upload(1, { 'content-length': String(1024 ** 3) });
    expect(answer).toMatchObject({ status: 413, body: { reason: 'IMPORT_TOO_LARGE' } });
  });

  it("pass on the service's refusal", async () => {
    gateway.services.answers.catalog.importProducts = () => {
      throw new DomainError({ kind: 'invalid', reason: 'IMPORT_EMPTY', message: 'The file is empty.' });
    };
    expect(await upload(3 * 1024 * 1024)).toMatchObject({ status: 400, body: { reason: 'IMPORT_EMPTY' } });
  });

  it('take nothing but CSV, which nothing else takes', async () => {
    const json = await gateway.fetch('/v1/products/import', { method: 'POST', json: {}, token: gateway.staff });
    expect(json.status).toBe(415);
    expect(await json.json()).toMatchObject({ reason: 'UNSUPPORTED_MEDIA_TYPE' });
    const headers = { 'content-type': 'text/csv' };
    const csv = await gateway.fetch('/v1/carts', { method: 'POST', body: 'a,b', headers });
    expect(csv.status).toBe(415);
  });

  it('tell how far they are', async () => {
    gateway.services.answers.catalog.getImport = () => ({ import: anImport() });
    const response = await gateway.fetch(`/v1/imports/${ORDER_ID}`, { token: gateway.staff });
    expect(await response.json()).toEqual({
      id: ORDER_ID,
      state: 'RUNNING',
      rows: 3,
      imported: 1,
      created: 1,
      updated: 0,
      variants: 2,
      rejectedCount: 1,
      rejected: [{ row: 3, reason: 'The price is missing.' }],
      sizeBytes: 100,
      readBytes: 50,
      createdAt: NOON.toISOString(),
    });
  });

  function anImport() {
    return {
      importId: ORDER_ID,
      state: 'STATE_RUNNING' as const,
      sizeBytes: 100n,
      readBytes: 50n,
      rows: 3,
      imported: 1,
      created: 1,
      updated: 0,
      variants: 2,
      rejectedCount: 1,
      rejected: [{ row: 3, reason: 'The price is missing.' }],
      createTime: NOON,
      endTime: undefined,
    };
  }

  /** Sends so many bytes by plain HTTP, no faster than they are taken. */
  function upload(size: number, headers: Record<string, string> = {}, progress = { sent: 0 }) {
    return new Promise<{ status: number | undefined; location: unknown; body: unknown }>((resolve, reject) => {
      const sent = httpRequest(`${gateway.url}/v1/products/import`, {
        method: 'POST',
        headers: { 'content-type': 'text/csv', authorization: `Bearer ${gateway.staff}`, ...headers },
      });
      sent.on('response', (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('end', () => {
          const body: unknown = JSON.parse(Buffer.concat(parts).toString());
          resolve({ status: response.statusCode, location: response.headers.location, body });
          sent.destroy();
        });
      });
      sent.on('error', reject);
      const piece = Buffer.alloc(256 * 1024, 'a');
      let left = size;
      const send = () => {
        while (left > 0) {
          const next = piece.subarray(0, Math.min(left, piece.length));
          left -= next.length;
          progress.sent += next.length;
          if (!sent.write(next)) return void sent.once('drain', send);
        }
        if (!headers['content-length']) sent.end();
      };
      send();
    });
  }
});
