/**
 * Whether the gateway can do its work: every service that it calls answers its health check. Answers are remembered for
 * a second, so that probes cost the services next to nothing. Once it drains, the gateway is not ready, whatever they say.
 */
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { connection } from './clients.js';
import { SERVICES, type GatewayConfig, type ServiceName } from './config.js';
import { CONFIG } from './tokens.js';

const REMEMBERED_MS = 1_000;
const TIMEOUT_MS = 2_000;

export interface Readiness {
  readonly ready: boolean;
  readonly services: Record<ServiceName, 'serving' | 'not serving'>;
}

// The one call of grpc.health.v1 that is made: an empty request asks for the whole server, and the answer's only field
// is an enum whose value 1 means SERVING.
const HEALTH = {
  check: {
    path: '/grpc.health.v1.Health/Check',
    requestStream: false,
    responseStream: false,
    requestSerialize: (_request: object) => Buffer.alloc(0),
    requestDeserialize: (_bytes: Buffer): object => ({}),
    responseSerialize: (_response: { serving: boolean }) => Buffer.alloc(0),
    responseDeserialize: (bytes: Buffer) => ({ serving: bytes.equals(Buffer.from([0x08, 0x01])) }),
  },
} as const;

@Injectable()
export class ReadinessCheck implements OnApplicationShutdown {
  private readonly clients: readonly (readonly [ServiceName, RpcClient<typeof HEALTH>])[];
  private draining = false;
  private last: { at: number; answer: Promise<Readiness> } | undefined;

  constructor(@Inject(CONFIG) config: GatewayConfig) {
    this.clients = SERVICES.map((service) => [service, rpcClient(HEALTH, connection(config, service))] as const);
  }

  /** The answer of at most a second ago. */
  async check(): Promise<Readiness> {
    if (!this.last || Date.now() - this.last.at > REMEMBERED_MS) this.last = { at: Date.now(), answer: this.ask() };
    const answer = await this.last.answer;
    return { ...answer, ready: answer.ready && !this.draining };
  }

  /** From now on the gateway is not ready. */
  drain(): void {
    this.draining = true;
  }

  onApplicationShutdown(): void {
    this.clients.forEach(([, client]) => client.close());
  }

  private async ask(): Promise<Readiness> {
    const asked = this.clients.map(async ([service, client]) => {
      const serving = await client.check({}, { timeoutMs: TIMEOUT_MS }).then(
        (answer) => answer.serving,
        () => false,
      );
      return [service, serving ? 'serving' : 'not serving'] as const;
    });
    const services = Object.fromEntries(await Promise.all(asked)) as Readiness['services'];
    return { ready: Object.values(services).every((state) => state === 'serving'), services };
  }
}
