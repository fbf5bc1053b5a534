// Runs the command line as a process of its own against a stub of the REST API.
import { spawn } from 'node:child_process';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';

export interface SeenRequest {
  route: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Answer = (response: ServerResponse, request: SeenRequest) => void;

/** A REST API that answers what it is told to, by `METHOD /path`, and remembers what it was asked. */
export async function stubApi() {
  const answers = new Map<string, Answer>();
  const requests: SeenRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const route = `${request.method} ${request.url?.split('?')[0]}`;
      const seen = { route, headers: request.headers, body: Buffer.concat(chunks).toString() };
      requests.push(seen);
      (answers.get(route) ?? json(404, { status: 404, reason: 'ROUTE_NOT_FOUND', detail: 'Nothing here.' }))(
        response,
        seen,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => new Promise((resolve) => server.close(resolve));
  return { answers, requests, close, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

export function json(status: number, document: unknown): Answer {
  return (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

/** Runs `npm run shop -- …args` and waits for its end, which `killed` may bring about. */
export function shop(args: string[], env: Record<string, string>, killed?: AbortSignal) {
  const main = join(import.meta.dirname, '../src/main.ts');
  const child = spawn(process.execPath, [main, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  killed?.addEventListener('abort', () => child.kill('SIGKILL'));
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}
