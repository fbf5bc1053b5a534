/**
 * What the machinery around a process and its operators ask of it, over HTTP on a port of its own that no customer reaches.
 * Guarantees: health, metrics and what runs are told to everybody who reaches the port, all else, and everything that
 * changes something, only to whoever has the token; without one configured it is told to nobody. Secrets are not in what
 * is told, but for a heap snapshot, which holds all that the process holds.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { effectiveConfig } from '@souk/config';
import { logLevels, metricsText, setLogLevel, type Logger } from '@souk/telemetry';
import { jobs } from '@souk/worker';
import { buildInfo } from './build-info.js';
import { cpuProfile, heapSnapshot } from './inspect.js';
import { Refused } from './refused.js';

const REQUEST_TIMEOUT_MS = 10_000;
const MOST_CONNECTIONS = 50;
const MOST_BODY = 1_024;
const MINUTE_MS = 60_000;
const MOST_MINUTES = 60;
const MOST_SECONDS = 60;

/** Whether the process can do its work, and what of that it lacks. */
export interface Health {
  readonly ready: boolean;
  readonly parts: Readonly<Record<string, string>>;
}

export interface ManagementOptions {
  readonly service: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Opens what is not for everybody; nobody may where there is none. */
  readonly token?: string | undefined;
  readonly logger: Logger;
  /** False until the process has started. */
  readonly isStarted: () => boolean;
  readonly health: () => Health | Promise<Health>;
  /** What can be called, with the rule of access. */
  readonly routes: () => readonly { readonly route: string; readonly access: string }[];
  readonly consumers: () => readonly { readonly durable: string; readonly type: string }[];
}

export interface ManagementServer {
  readonly port: number;
  /** Ends it; requests under way are cut off. */
  close(): Promise<void>;
}

interface Page {
  readonly method: 'GET' | 'POST';
  readonly isOpen?: boolean;
  answer(request: IncomingMessage, response: ServerResponse, query: URLSearchParams): Promise<void> | void;
}

/** Starts to listen. */
export async function startManagement(options: ManagementOptions): Promise<ManagementServer> {
  const pages = pagesOf(options);
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(pages, options, request, response).catch((error: unknown) => fail(options.logger, response, error));
  });
  server.maxConnections = MOST_CONNECTIONS;
  await listening(server, options.host, options.port);
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

function pagesOf({ service, isStarted, health, routes, consumers, logger }: ManagementOptions): Map<string, Page> {
  const startedAt = new Date();
  const open = (tell: () => unknown): Page => ({ ...closedPage(tell), isOpen: true });
  const closedPage = (tell: () => unknown): Page => ({
    method: 'GET',
    answer: async (_request, response) => json(response, 200, await tell()),
  });
  return new Map<string, Page>([
    ['/metrics', { method: 'GET', isOpen: true, answer: tellMetrics }],
    ['/livez', open(() => ({ status: 'ok' }))],
    ['/startupz', statusPage(isStarted, () => ({ status: isStarted() ? 'started' : 'starting' }))],
    [
      '/readyz',
      { method: 'GET', isOpen: true, answer: async (_request, response) => tellHealth(response, await health()) },
    ],
    ['/info', open(() => ({ service, ...buildInfo(), startedAt, config: effectiveConfig().digest }))],
    ['/config', closedPage(() => effectiveConfig().variables)],
    ['/routes', closedPage(routes)],
    ['/jobs', closedPage(jobs)],
    ['/consumers', closedPage(consumers)],
    ['/loggers', closedPage(logLevels)],
    [
      '/log-level',
      {
        method: 'POST',
        answer: async (request, response) => json(response, 200, change(await bodyOf(request), logger)),
      },
    ],
    ['/heap-snapshot', { method: 'POST', answer: (_request, response) => sendHeap(response, logger) }],
    ['/profile', { method: 'POST', answer: (_request, response, query) => sendProfile(response, query, logger) }],
  ]);
}

async function answer(
  pages: ReadonlyMap<string, Page>,
  { token }: ManagementOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
  const page = pages.get(pathname);
  if (!page) return json(response, 404, { error: 'There is no such page.', pages: [...pages.keys()] });
  if (request.method !== page.method) return void response.writeHead(405, { allow: page.method }).end();
  if (!page.isOpen) requireToken(request, token);
  await page.answer(request, response, searchParams);
}

function requireToken(request: IncomingMessage, token: string | undefined): void {
  if (!token) throw new Refused(403, 'MANAGEMENT_TOKEN is not set: this page is told to nobody.');
  const given = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
  if (!timingSafeEqual(digest(given), digest(token))) throw new Refused(401, 'This page asks for the token (Bearer).');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

async function tellMetrics(_request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await metricsText();
  response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text);
}

function statusPage(holds: () => boolean, tell: () => unknown): Page {
  return { method: 'GET', isOpen: true, answer: (_request, response) => json(response, holds() ? 200 : 503, tell()) };
}

function tellHealth(response: ServerResponse, { ready, parts }: Health): void {
  json(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', parts });
}

function change(body: unknown, logger: Logger): unknown {
  const {
    logger: name,
    level,
    minutes = 10,
  } = (body ?? {}) as { logger?: unknown; level?: unknown; minutes?: unknown };
  if (typeof name !== 'string' || typeof level !== 'string')
    throw new Refused(400, 'Send {"logger": ..., "level": ...}.');
  const forMs = numberIn(minutes, 'minutes', MOST_MINUTES) * MINUTE_MS;
  const problem = setLogLevel(name, level, forMs);
  if (problem) throw new Refused(400, problem);
  logger.warn({ logger: name, logLevel: level, minutes }, 'the level of a log was changed');
  return logLevels();
}

async function sendHeap(response: ServerResponse, logger: Logger): Promise<void> {
  logger.warn('a heap snapshot is taken');
  const snapshot = heapSnapshot();
  response.writeHead(200, {
    'content-type': 'application/octet-stream',
    'content-disposition': attachment('heapsnapshot'),
  });
  await pipeline(snapshot, response);
}

async function sendProfile(response: ServerResponse, query: URLSearchParams, logger: Logger): Promise<void> {
  const seconds = numberIn(query.get('seconds') ?? 10, 'seconds', MOST_SECONDS);
  logger.warn({ seconds }, 'a CPU profile is taken');
  const profile = await cpuProfile(seconds);
  response
    .writeHead(200, { 'content-type': 'application/json', 'content-disposition': attachment('cpuprofile') })
    .end(profile);
}

function attachment(kind: string): string {
  return `attachment; filename="souk-${process.pid}.${kind}"`;
}

function numberIn(value: unknown, name: string, most: number): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= most) return number;
  throw new Refused(400, `${name} must be a whole number from 1 to ${most}.`);
}

async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) {
    text += String(chunk);
    if (text.length > MOST_BODY) throw new Refused(413, 'The body is too long.');
  }
  try {
    return JSON.parse(text);
  } catch {
    // Told as what it is: a mistake of who asks.
    throw new Refused(400, 'The body is no JSON.');
  }
}

function json(response: ServerResponse, status: number, body: unknown): void {
  const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
  response.writeHead(status, headers).end(`${JSON.stringify(body)}\n`);
}

function fail(logger: Logger, response: ServerResponse, error: unknown): void {
  if (error instanceof Refused && !response.headersSent) return json(response, error.status, { error: error.message });
  logger.error({ err: error }, 'a page of the management port could not be told');
  if (response.headersSent) response.destroy();
  else response.writeHead(500).end();
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
