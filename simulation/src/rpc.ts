/**
 * Calls between services: requests and answers cross as the bytes of the contract, errors as gRPC's statuses, deadlines
 * as the time that is left. A request or its answer may be lost, be late, or arrive twice; the process that is asked may
 * die at it.
 */
import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { GUEST } from '@souk/auth';
import {
  fromServiceError,
  serviceName,
  toStatus,
  type CallOptions,
  type RpcClient,
  type ServiceDefinition,
} from '@souk/rpc';
import { callContext, runInContext, type CallContext } from '@souk/telemetry';
import type { Host } from './host.ts';
import type { Network } from './network.ts';
import type { Scheduler, Timer } from './scheduler.ts';
import type { Trace } from './trace.ts';

type Method = ServiceDefinition[string];
type Controller = Readonly<Record<string, (request: unknown) => Promise<unknown>>>;

interface Server {
  readonly host: Host;
  readonly controller: Controller;
  /** What it works on, or was sent. */
  readonly calls: Set<Call>;
}

interface Call {
  readonly caller: Host;
  readonly method: Method;
  readonly name: string;
  readonly service: string;
  readonly bytes: Buffer;
  readonly leftMs: number;
  readonly context: CallContext;
  readonly settle: (error: Error | undefined, answer?: unknown) => void;
}

const DEFAULT_TIMEOUT_MS = 5_000;

export class RpcNetwork {
  private readonly servers = new Map<string, Server[]>();
  private readonly scheduler: Scheduler;
  private readonly network: Network;
  private readonly trace: Trace;

  constructor(scheduler: Scheduler, network: Network, trace: Trace) {
    this.scheduler = scheduler;
    this.network = network;
    this.trace = trace;
  }

  /** Lets a process answer a service as long as it lives. */
  serve(definition: ServiceDefinition, host: Host, controller: object): void {
    const name = serviceName(definition);
    const server: Server = { host, controller: controller as Controller, calls: new Set() };
    const servers = this.servers.get(name) ?? [];
    this.servers.set(name, servers);
    servers.push(server);
    host.atDeath(() => {
      servers.splice(servers.indexOf(server), 1);
      // Whoever waits for a process that dies is told by its connection.
      server.calls.forEach((call) => this.refuse(call));
    });
  }

  client<S extends ServiceDefinition>(definition: S, caller: Host, callerName: string): RpcClient<S> {
    const service = serviceName(definition);
    const methods = Object.entries(definition).map(([name, method]) => {
      const call = (request: never, options?: CallOptions) => {
        const bytes = method.requestSerialize(request);
        return this.call({ caller, callerName, method, name, service, bytes }, options);
      };
      return [name, call] as const;
    });
    return { ...Object.fromEntries(methods), close: () => undefined } as unknown as RpcClient<S>;
  }

  private call(
    { callerName, ...call }: Pick<Call, 'caller' | 'method' | 'name' | 'service' | 'bytes'> & { callerName: string },
    options?: CallOptions,
  ): Promise<unknown> {
    const { requestId, traceparent, deadline, principal } = callContext();
    const inherited = deadline ? deadline.getTime() - Date.now() : Infinity;
    const leftMs = Math.min(options?.timeoutMs ?? DEFAULT_TIMEOUT_MS, inherited);
    return new Promise((resolve, reject) => {
      const settle = this.once(call.caller, (error, answer) => (error ? reject(error) : resolve(answer)));
      const timer = this.scheduler.after(
        leftMs,
        () => settle(this.failure(call, status.DEADLINE_EXCEEDED)),
        call.caller,
      );
      const context: CallContext = { requestId, traceparent, caller: callerName, principal: principal ?? GUEST };
      this.send({ ...call, leftMs, context, settle: this.cancelling(timer, settle) });
    });
  }

  private once(caller: Host, work: Call['settle']): Call['settle'] {
    let isSettled = false;
    return (error, answer) => {
      if (isSettled || !caller.isUp) return;
      isSettled = true;
      work(error, answer);
    };
  }

  private cancelling(timer: Timer, settle: Call['settle']): Call['settle'] {
    return (error, answer) => {
      timer.cancel();
      settle(error, answer);
    };
  }

  private send(call: Call): void {
    this.network.onCall?.(call.caller);
    const fate = this.network.fate();
    if (fate === 'request lost') return this.trace.add(call.caller, `${call.name} is lost on its way`);
    this.arriveLater(call, fate === 'answer lost');
    if (fate === 'doubled') this.arriveLater({ ...call, settle: () => undefined }, true);
  }

  private arriveLater(call: Call, losesAnswer: boolean): void {
    this.scheduler.after(this.network.delay(), () => {
      const servers = this.servers.get(call.service) ?? [];
      const server = this.network.choose(servers);
      if (!server) return this.refuse(call);
      const accepted = losesAnswer ? { ...call, settle: () => undefined } : call;
      if (losesAnswer) this.trace.add(server.host, `the answer to ${call.name} will be lost`);
      server.calls.add(accepted);
      this.scheduler.after(0, () => this.handle(server, accepted), server.host);
    });
  }

  private refuse(call: Call): void {
    this.back(call, () => call.settle(this.failure(call, status.UNAVAILABLE)));
  }

  private handle({ host, controller, calls }: Server, call: Call): void {
    const { method, name, context, leftMs } = call;
    const handler = controller[name];
    if (!handler) throw new Error(`${host.name} does not answer ${name}.`);
    const deadline = new Date(Date.now() + leftMs);
    const work = runInContext({ ...context, deadline }, async () => {
      const answer = await handler.call(controller, method.requestDeserialize(call.bytes));
      return method.responseSerialize(answer as never);
    });
    work
      .finally(() => calls.delete(call))
      .then(
        (bytes) => this.back(call, () => call.settle(undefined, method.responseDeserialize(bytes))),
        (error: unknown) => {
          this.trace.add(host, `${name} fails: ${String(error)}`);
          const serviceShortName = call.service.split('.')[1] ?? '';
          const crossed = toServiceError(toStatus(error, serviceShortName));
          this.back(call, () => call.settle(fromServiceError(crossed, serviceShortName)));
        },
      );
  }

  private back(call: Call, work: () => void): void {
    this.scheduler.after(this.network.delay(), work, call.caller);
  }

  private failure({ service }: Pick<Call, 'service'>, code: status): Error {
    const error = toServiceError({ code, details: status[code], metadata: new Metadata() });
    return fromServiceError(error, service.split('.')[1] ?? '');
  }
}

function toServiceError(crossed: StatusObject): ServiceError {
  return Object.assign(new Error(crossed.details), crossed);
}
