/**
 * What the machinery around a service asks of it, over HTTP on a port of its own that no customer reaches: its metrics. Nothing here
 * changes anything.
 */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { metricsText, type Logger } from '@souk/telemetry';

const REQUEST_TIMEOUT_MS = 10_000;
const MOST_CONNECTIONS = 50;

export interface ManagementServer {
  readonly port: number;
  /** Ends it; requests under way are cut off. */
  close(): Promise<void>;
}

/** Starts to listen; port 0 takes a free one. */
export async function startManagement(host: string, port: number, logger: Logger): Promise<ManagementServer> {
  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, answer(logger));
  server.maxConnections = MOST_CONNECTIONS;
  await listening(server, host, port);
  return { port: (server.address() as AddressInfo).port, close: () => closed(server) };
}

function answer(logger: Logger): RequestListener {
  return (request, response) => {
    if (request.url?.split('?')[0] !== '/metrics') return void response.writeHead(404).end();
    if (request.method !== 'GET') return void response.writeHead(405, { allow: 'GET' }).end();
    metricsText().then(
      (text) => response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' }).end(text),
      (error: unknown) => {
        logger.error({ err: error }, 'the metrics could not be read');
        response.writeHead(500).end();
      },
    );
  };
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
