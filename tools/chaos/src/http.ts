/** A lean HTTP client that waits for an answer only so long. */
import { Agent, request, type OutgoingHttpHeaders } from 'node:http';

export interface Call {
  readonly method?: string;
  readonly path: string;
  readonly token?: string;
  readonly headers?: OutgoingHttpHeaders;
  /** An object is sent as JSON. */
  readonly body?: object | string;
  /** How long to wait for the answer. */
  readonly patienceMs?: number;
}

export interface Answer {
  /** 0 where no answer came. */
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

const NO_ANSWER: Answer = { status: 0, body: {} };
const PATIENCE_MS = 14_000;

export class HttpClient {
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(port: number) {
    this.#port = port;
  }

  /** Never throws: a call without an answer answers with the status 0. */
  call({ method = 'GET', path, token, headers = {}, body, patienceMs = PATIENCE_MS }: Call): Promise<Answer> {
    const isJson = typeof body === 'object';
    const all: OutgoingHttpHeaders = {
      ...(isJson && { 'content-type': 'application/json' }),
      ...(token && { authorization: `Bearer ${token}` }),
      ...headers,
    };
    return new Promise((resolve) => {
      const target = { agent: this.#agent, hostname: '127.0.0.1', port: this.#port, method, path, headers: all };
      const outgoing = request(target, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', () => resolve(NO_ANSWER));
        response.on('end', () => {
          const { statusCode = 0 } = response;
          resolve({ status: statusCode, body: parsed(Buffer.concat(chunks).toString()) });
        });
      });
      const timer = setTimeout(() => outgoing.destroy(new Error('No answer came in time.')), patienceMs);
      outgoing.on('close', () => clearTimeout(timer));
      outgoing.on('error', () => resolve(NO_ANSWER));
      outgoing.end(isJson ? JSON.stringify(body) : body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Empty, or a text: nothing to read in it.
    return {};
  }
}
