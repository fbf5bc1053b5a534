/**
 * The gRPC server of a service. Around each handler: the call's context (request id, trace, deadline, person), the
 * declared access rule, the translation of errors, and one log line for a call that failed. A controller's method
 * without a rule, or an RPC without a method, keeps the server from starting.
 */
import { randomUUID, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import {
  Server,
  ServerCredentials,
  type handleClientStreamingCall,
  type handleUnaryCall,
  type Metadata,
  type sendUnaryData,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServiceDefinition as GrpcServiceDefinition,
} from '@grpc/grpc-js';
import { authorize, GUEST, privilegeOf, rulesOf, type Principal, type TokenVerifier } from '@souk/auth';
import { isDomainError } from '@souk/errors';
import { childTraceparent, runInContext, type CallContext, type Logger } from '@souk/telemetry';
import { RecordedCall, type Declared, type Recorder } from './call-record.js';
import { CertificateFiles, type TlsFiles } from './certificates.js';
import { definitionOf, type ControllerClass } from './controller.js';
import { toStatus } from './errors.js';
import { LoadGuard } from './load-guard.js';
import { METADATA } from './metadata.js';
import { observeServer } from './observed-call.js';
import { callerIn, listenTls, type TlsListener } from './tls-listener.js';

const STREAM_MESSAGE_LIMIT = 4 * 1024 * 1024;

export interface RpcServerOptions {
  /** Short name of the service, for example `orders`. */
  readonly name: string;
  /** Secret that other Souk services prove themselves with, where TLS is off. */
  readonly serviceToken?: string | undefined;
  /** Turns TLS on: a caller's name is that in its certificate, and the secret proves nothing. */
  readonly tls?: TlsFiles | undefined;
  readonly verifier: TokenVerifier;
  readonly logger: Logger;
  /** Keeps who did what; none where the service keeps no data. */
  readonly recorder?: Recorder | undefined;
}

type Handler = (request: unknown) => Promise<unknown>;
type Call = ServerUnaryCall<unknown, unknown> | ServerReadableStream<unknown, unknown>;

export class RpcServer {
  readonly grpc = new Server({ 'grpc.max_receive_message_length': STREAM_MESSAGE_LIMIT });
  private readonly secret: Buffer | undefined;
  private readonly certificates: CertificateFiles | undefined;
  private readonly load = new LoadGuard();
  private listener: TlsListener | undefined;

  constructor(private readonly options: RpcServerOptions) {
    const { tls, serviceToken, name } = options;
    if (!tls && !serviceToken) throw new Error(`The server of ${name} needs a certificate or the services' secret.`);
    this.certificates = tls && CertificateFiles.of(tls, name);
    this.secret = tls ? undefined : Buffer.from(serviceToken ?? '');
  }

  /** Binds every RPC of the controller's service to its method. */
  add(controllerClass: ControllerClass, controller: object): void {
    const definition = definitionOf(controllerClass);
    const bound = Object.entries(definition).map(([name, method]) => {
      const rules = rulesOf(controllerClass.prototype as object, name);
      const handler = (controller as Record<string, unknown>)[name];
      if (typeof handler !== 'function') throw new Error(`${controllerClass.name} does not answer ${method.path}.`);
      if (!rules) throw new Error(`${controllerClass.name}.${name} declares no access rule (@Allow).`);
      const privilege = privilegeOf(controllerClass.prototype as object, name);
      return [name, this.bind({ method, rules, privilege }, handler.bind(controller) as Handler)] as const;
    });
    this.grpc.addService(definition as unknown as GrpcServiceDefinition, Object.fromEntries(bound));
  }

  /** @returns the port it listens on, which differs from the one asked for where that was 0 */
  async listen(host: string, port: number): Promise<number> {
    const { certificates } = this;
    this.load.start();
    if (!certificates) return this.listenInTheClear(host, port);
    this.listener = await listenTls(this.grpc, { host, port, certificates, logger: this.options.logger });
    return this.listener.port;
  }

  private listenInTheClear(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.grpc.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  }

  /** Takes no new calls, lets those under way finish, and cuts off what is left after `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.listener?.close();
    this.load.stop();
    const finished = new Promise<void>((resolve) => this.grpc.tryShutdown(() => resolve()));
    const timer = setTimeout(() => this.grpc.forceShutdown(), graceMs);
    await finished;
    clearTimeout(timer);
  }

  private bind(declared: Declared, handler: Handler) {
    const { method, rules } = declared;
    const answer = async (call: Call, request: unknown, reply: sendUnaryData<unknown>) => {
      const observed = observeServer(method.path, first(call.metadata, METADATA.traceparent));
      const context = incomingContext(call, observed.traceparent);
      const callback: sendUnaryData<unknown> = (error, value) => {
        observed.ended(error?.code);
        reply(error, value);
      };
      try {
        this.load.enter();
      } catch (error) {
        return callback(toStatus(error, this.options.name));
      }
      const record = new RecordedCall(this.options.recorder, declared, request, context);
      await runInContext(context, async () => {
        try {
          context.caller = this.callerOf(call);
          context.source = sourceOf(call, context.caller);
          if (!rules.includes('public')) await this.identify(context, call.metadata);
          await record.begin(authorize(rules, (context.principal as Principal | undefined) ?? GUEST, context.caller));
          const response = await handler(request);
          record.done(response);
          callback(null, response);
        } catch (error) {
          record.failed(error);
          this.logFailure(method.path, error);
          callback(toStatus(error, this.options.name));
        } finally {
          this.load.leave();
        }
      });
    };
    const unary: handleUnaryCall<unknown, unknown> = (call, callback) => void answer(call, call.request, callback);
    const clientStream: handleClientStreamingCall<unknown, unknown> = (call, callback) =>
      void answer(call, call, callback);
    return method.requestStream ? clientStream : unary;
  }

  /** Notes in the context on whose behalf the call is made. */
  private async identify(context: CallContext, metadata: Metadata): Promise<void> {
    const token = first(metadata, METADATA.authorization)?.replace(/^Bearer /i, '');
    if (!token) return;
    context.principal = await this.options.verifier.verify(token);
    context.userToken = token;
  }

  /** With TLS the name in the verified certificate, and nothing that the call says of itself. */
  private callerOf(call: Call): string | undefined {
    if (this.secret) {
      const known = isSame(this.secret, first(call.metadata, METADATA.serviceToken));
      return known ? first(call.metadata, METADATA.caller) : undefined;
    }
    const { sslPeerCertificate: certificate } = call.getAuthContext();
    return certificate && callerIn(certificate);
  }

  private logFailure(path: string, error: unknown): void {
    if (isDomainError(error)) {
      this.options.logger.debug({ rpc: path, reason: error.reason }, 'call refused');
    } else {
      this.options.logger.error({ rpc: path, err: error }, 'call failed');
    }
  }
}

function incomingContext(call: Call, traceparent?: string): CallContext {
  const { metadata } = call;
  const deadline = call.getDeadline();
  return {
    requestId: first(metadata, METADATA.requestId) ?? randomUUID(),
    traceparent: traceparent ?? childTraceparent(first(metadata, METADATA.traceparent)),
    deadline: isFinite(+deadline) ? new Date(deadline) : undefined,
  };
}

/** What a service of Souk says, who was told it by the gateway; of all others, where the call comes from. */
function sourceOf(call: Call, caller: string | undefined): string {
  const told = caller === undefined ? undefined : first(call.metadata, METADATA.source);
  if (told !== undefined && isIP(told)) return told;
  const host = call
    .getPeer()
    .replace(/:\d+$/, '')
    .replace(/^\[|\]$/g, '');
  return isIP(host) ? host : '';
}

function isSame(secret: Buffer, text: string | undefined): boolean {
  const given = Buffer.from(text ?? '');
  return given.length === secret.length && timingSafeEqual(given, secret);
}

function first(metadata: Metadata, key: string): string | undefined {
  return metadata.get(key)[0]?.toString();
}
