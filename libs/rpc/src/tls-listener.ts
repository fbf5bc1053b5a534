/**
 * TLS before a gRPC server. A client shows a certificate or none: one that shows none is a caller from outside, without a
 * name; one whose certificate is not of Souk's authority, has expired or names no service is not let in at all. Only TLS
 * 1.3, and no resumption, so that every connection is verified anew. A changed certificate is shown to new connections; those
 * that are open stay. This stands before grpc-js because its own TLS lets a client with a bad certificate in like one
 * without, and because it decodes the certificate at every call, which takes longer than many a call.
 */
import { constants } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { createServer, type PeerCertificate, type TLSSocket } from 'node:tls';
import { ServerCredentials, type Server } from '@grpc/grpc-js';
import { DomainError } from '@souk/errors';
import type { Logger } from '@souk/telemetry';
import type { Certificate, CertificateFiles } from './certificates.js';
import { namedService } from './service-names.js';

const HANDSHAKE_MS = 10_000;
const TELL_EVERY_MS = 1_000;

export interface TlsListener {
  readonly port: number;
  /** Takes no more connections; those that are open are the gRPC server's. */
  close(): void;
}

export interface TlsListenerOptions {
  readonly host: string;
  readonly port: number;
  readonly certificates: CertificateFiles;
  readonly logger: Logger;
}

export function listenTls(grpc: Server, options: TlsListenerOptions): Promise<TlsListener> {
  const { host, port, certificates, logger } = options;
  const injector = grpc.createConnectionInjector(ServerCredentials.createInsecure());
  const refuse = refusal(logger);
  const server = createServer({
    ...context(certificates.current),
    ALPNProtocols: ['h2'],
    requestCert: true,
    // Decided here, since an absent certificate is not a bad one.
    rejectUnauthorized: false,
    handshakeTimeout: HANDSHAKE_MS,
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', (error) => logger.debug({ err: error }, 'a connection broke'));
    const certificate = socket.getPeerCertificate();
    const fault = faultOf(socket, certificate);
    if (fault) return refuse(socket, fault);
    if (!server.listening) return void socket.destroy();
    Object.defineProperty(socket, 'getPeerCertificate', { value: () => certificate });
    injector.injectConnection(socket);
  });
  const unfollow = certificates.onChange((changed) => server.setSecureContext(context(changed)));
  return new Promise((resolve, reject) => {
    server.once('error', reject).listen({ host, port }, () => {
      const close = () => {
        unfollow();
        server.close();
      };
      resolve({ port: (server.address() as AddressInfo).port, close });
    });
  });
}

function context({ ca, cert, key }: Certificate) {
  return { ca, cert, key, minVersion: 'TLSv1.3' as const, secureOptions: constants.SSL_OP_NO_TICKET };
}

function faultOf(socket: TLSSocket, certificate: PeerCertificate): string | undefined {
  if (!isShown(certificate)) return undefined;
  if (!socket.authorized) return String(socket.authorizationError);
  return namedService(certificate.subjectaltname) ? undefined : 'it names no service';
}

/** An absent certificate is an empty object. */
function isShown(certificate: PeerCertificate | undefined): certificate is PeerCertificate {
  return certificate?.raw !== undefined;
}

/** Told at most once a second: whoever is refused may try again at once. */
function refusal(logger: Logger): (socket: TLSSocket, fault: string) => void {
  let toldAt = 0;
  return (socket, fault) => {
    if (Date.now() - toldAt >= TELL_EVERY_MS) {
      toldAt = Date.now();
      logger.warn({ from: socket.remoteAddress, fault }, "a client's certificate is refused");
    }
    socket.destroy();
  };
}

interface Verified {
  readonly service: string | undefined;
  readonly until: number;
}

const VERIFIED = new WeakMap<PeerCertificate, Verified>();

/**
 * The service that a verified certificate names.
 * @throws DomainError CERTIFICATE_EXPIRED where it has expired since the connection was made
 */
export function callerIn(certificate: PeerCertificate): string | undefined {
  const known = VERIFIED.get(certificate) ?? {
    service: namedService(certificate.subjectaltname),
    until: Date.parse(certificate.valid_to),
  };
  VERIFIED.set(certificate, known);
  if (known.until > Date.now()) return known.service;
  throw new DomainError({
    kind: 'unauthenticated',
    reason: 'CERTIFICATE_EXPIRED',
    message: 'The certificate of the calling service has expired. Connect with a new one.',
  });
}
