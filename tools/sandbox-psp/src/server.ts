/** HTTP in front of the ledger: routes, API keys and error bodies. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { parseForm } from './form.ts';
import { control } from './control.ts';
import type { Faults, Operation } from './faults.ts';
import { newId } from './identifiers.ts';
import type { Ledger } from './ledger.ts';
import { listDisputes, listIntents, listRefunds, readIntent, readRefund, searchIntents } from './queries.ts';
import { readDispute } from './disputes.ts';
import { StripeError } from './stripe-error.ts';
import type { Webhooks } from './webhooks.ts';
import { Writes, type Answer } from './writes.ts';

const MAX_BODY_BYTES = 1024 * 1024;
const WRITE_PATH = /^\/v1\/(payment_intents|refunds)(?:\/(pi_\w+)\/(confirm|capture|cancel))?$/;
const READ_PATH = /^\/v1\/(payment_intents|refunds|disputes)(?:\/(\w+))?$/;

interface Request {
  method: string;
  url: URL;
  headers: IncomingMessage['headers'];
  body: string;
  requestId: string;
}

export function createPspServer(ledger: Ledger, webhooks: Webhooks, faults: Faults): Server {
  const writes = new Writes(ledger, webhooks, faults);
  const route = (request: Request): Promise<Answer> | Answer => {
    if (request.url.pathname.startsWith('/_sandbox/')) return control({ ledger, faults, writes, webhooks }, request);
    requireKey(request);
    return request.method === 'POST' ? write(writes, request) : read(ledger, request);
  };
  return createServer((incoming, response) => void serve(incoming, response, route));
}

async function serve(
  incoming: IncomingMessage,
  response: ServerResponse,
  route: (request: Request) => Promise<Answer> | Answer,
): Promise<void> {
  const requestId = newId('req');
  try {
    const url = new URL(incoming.url ?? '/', 'http://sandbox');
    const body = await bodyOf(incoming);
    const answer = await route({ method: incoming.method ?? 'GET', url, headers: incoming.headers, body, requestId });
    // The caller waits until it gives up by itself, as for a provider that has gone.
    if (answer === 'silence') return;
    send(response, answer, requestId, incoming.headers['idempotency-key']);
  } catch (error) {
    send(response, errorAnswer(error), requestId);
  }
}

function write(writes: Writes, request: Request): Promise<Answer> {
  const [, resource, id, action] = WRITE_PATH.exec(request.url.pathname) ?? [];
  if (!resource || (resource === 'refunds' && action)) throw unknownRoute(request);
  const operation = resource === 'refunds' ? 'refund' : ((action ?? 'create') as Operation);
  const key = request.headers['idempotency-key'];
  return writes.answer({
    operation,
    path: request.url.pathname,
    id: id ?? '',
    form: parseForm(request.body),
    key: typeof key === 'string' && key !== '' ? key : undefined,
    requestId: request.requestId,
  });
}

function read(ledger: Ledger, request: Request): Answer {
  const [, resource, id] = READ_PATH.exec(request.url.pathname) ?? [];
  if (!resource || request.method !== 'GET') throw unknownRoute(request);
  const query = parseForm(request.url.search);
  const reads: Record<string, () => unknown> = {
    payment_intents: () => listIntents(ledger, query),
    'payment_intents/search': () => searchIntents(ledger, query),
    'payment_intents/id': () => readIntent(ledger, id ?? '', query),
    refunds: () => listRefunds(ledger, query),
    'refunds/id': () => readRefund(ledger, id ?? ''),
    disputes: () => listDisputes(ledger, query),
    'disputes/id': () => readDispute(ledger, id ?? ''),
  };
  const exact = reads[`${resource}/${id}`] ?? reads[id ? `${resource}/id` : resource];
  return { status: 200, body: exact?.() };
}

function requireKey({ headers }: Request): void {
  const key = /^Bearer (\S+)$/.exec(headers.authorization ?? '')?.[1] ?? basicUser(headers.authorization);
  if (key?.startsWith('sk_live_')) {
    throw unauthenticated('This is the sandbox. Never send it a live key; use one that starts with sk_test_.');
  }
  if (!key) throw unauthenticated('You did not provide an API key.');
}

function basicUser(header: string | undefined): string | undefined {
  const encoded = /^Basic (\S+)$/.exec(header ?? '')?.[1];
  return encoded && Buffer.from(encoded, 'base64').toString('utf8').split(':')[0];
}

function unauthenticated(message: string): StripeError {
  return new StripeError(401, { type: 'invalid_request_error', message });
}

function unknownRoute({ method, url }: Request): StripeError {
  const message = `Unrecognized request URL (${method}: ${url.pathname}). The sandbox answers only the part of the API that Souk uses.`;
  return new StripeError(404, { type: 'invalid_request_error', message });
}

function errorAnswer(error: unknown): Exclude<Answer, string> {
  if (error instanceof StripeError) return { status: error.status, body: { error: error.body } };
  process.stderr.write(`sandbox-psp: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return { status: 500, body: { error: { type: 'api_error', message: 'The sandbox failed; see its log.' } } };
}

function send(
  response: ServerResponse,
  answer: Exclude<Answer, string>,
  requestId: string,
  key?: string | string[],
): void {
  response.writeHead(answer.status, {
    'content-type': 'application/json',
    'request-id': requestId,
    ...(key ? { 'idempotency-key': key } : {}),
    ...(answer.replayed ? { 'idempotent-replayed': 'true' } : {}),
  });
  response.end(JSON.stringify(answer.body));
}

async function bodyOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES)
      throw new StripeError(413, { type: 'invalid_request_error', message: 'The body is too large.' });
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}
