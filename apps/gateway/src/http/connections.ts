/**
 * What a connection may cost. Guarantees: connections are bounded, those of one address apart; so are the requests that one connection
 * has under way, the headers of each and its address; and whoever does not take his answer is cut off, so that no memory
 * waits for him. Times for headers and bodies to arrive are set on the server, and in `body-parsers.ts`.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import proxyAddress from '@fastify/proxy-addr';
import { sourceOf } from '@souk/auth';
import { metrics } from '@souk/telemetry';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { GatewayConfig } from '../config.js';
import { refuseConnection } from './security-headers.js';

export const MAX_HEADERS = 100;
export const MAX_URL_BYTES = 8 * 1024;
/** Browsers and proxies have one under way; only who means harm has so many. */
export const MAX_UNDER_WAY = 16;
const LOOKS_PER_LIMIT = 4;

type Limits = Pick<GatewayConfig, 'maxConnections' | 'maxConnectionsPerAddress' | 'answerTimeoutMs' | 'trustedProxies'>;

const cut = metrics.counter('souk_connections_cut_total');

/** Before all other hooks, so that who is cut off costs no more than this. */
export function guardConnections(fastify: FastifyInstance, config: Limits): void {
  const { server } = fastify;
  server.maxConnections = config.maxConnections;
  server.on('drop', () => cut.inc({ outcome: 'too_many' }));
  boundPerAddress(server, config);
  cutStalled(server, config.answerTimeoutMs);
  boundRequests(fastify);
}

/** A trusted proxy brings the connections of many. */
function boundPerAddress(server: Server, { maxConnectionsPerAddress: most, trustedProxies }: Limits): void {
  const isProxy = proxyAddress.compile(trustedProxies);
  const open = new Map<string, number>();
  server.prependListener('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    if (isProxy(address, 0)) return;
    const source = sourceOf(address);
    const count = (open.get(source) ?? 0) + 1;
    if (count > most) {
      cut.inc({ outcome: 'too_many_of_address' });
      refuseConnection(socket);
      return;
    }
    open.set(source, count);
    socket.once('close', () => {
      const left = (open.get(source) ?? 1) - 1;
      if (left > 0) open.set(source, left);
      else open.delete(source);
    });
  });
}

/** Cuts off who has taken nothing of what waits for him for so long. */
function cutStalled(server: Server, timeoutMs: number): void {
  const taken = new Map<Socket, { bytes: number; at: number }>();
  server.on('connection', (socket: Socket) => {
    taken.set(socket, { bytes: 0, at: Date.now() });
    socket.once('close', () => taken.delete(socket));
  });
  const timer = setInterval(() => {
    const now = Date.now();
    for (const [socket, last] of taken) {
      const bytes = socket.bytesWritten - socket.writableLength;
      if (socket.writableLength === 0 || bytes !== last.bytes) taken.set(socket, { bytes, at: now });
      else if (now - last.at >= timeoutMs) {
        cut.inc({ outcome: 'not_read' });
        socket.destroy();
      }
    }
  }, timeoutMs / LOOKS_PER_LIMIT).unref();
  server.once('close', () => clearInterval(timer));
}

function boundRequests(fastify: FastifyInstance): void {
  const underWay = new WeakMap<Socket, number>();
  fastify.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw;
    const count = (underWay.get(socket) ?? 0) + 1;
    underWay.set(socket, count);
    reply.raw.once('close', () => underWay.set(socket, (underWay.get(socket) ?? 1) - 1));
    if (count <= MAX_UNDER_WAY) {
      done(tooLarge(request));
      return;
    }
    // What was read already still comes here, one after the other: nothing more is done for it.
    if (!socket.destroyed) cut.inc({ outcome: 'too_many_under_way' });
    socket.destroy();
  });
}

function tooLarge({ raw }: FastifyRequest): Error | undefined {
  if (Buffer.byteLength(raw.url ?? '') > MAX_URL_BYTES) return withStatus(414);
  return raw.rawHeaders.length > 2 * MAX_HEADERS ? withStatus(431) : undefined;
}

function withStatus(statusCode: number): Error {
  return Object.assign(new Error('The request is too large.'), { statusCode });
}
