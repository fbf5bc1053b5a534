// The services as an operator calls them: by gRPC, as the caller `ops`. What fails is told in a sentence that says what to do.
import { isDomainError, type DomainError } from '@souk/errors';
import { rpcClient, type RpcClient, type ServiceDefinition } from '@souk/rpc';
import { GRPC_SERVICES, type GrpcService } from '@souk/runner';
import { CommandError } from './exit-codes.ts';
import type { Settings } from './settings.ts';

const SHORT_MS = 15_000;
/** Checks and replays read a lot; the services wait for a check that another replica runs for five minutes. */
export const LONG = { timeoutMs: 15 * 60 * 1000 };

/** What the services answered, and which of them failed. */
export interface Asked<T> {
  readonly answers: readonly (T & { readonly service: GrpcService })[];
  readonly failures: readonly { readonly service: GrpcService; readonly error: string }[];
}

export class Services {
  readonly #settings: Settings;

  constructor(settings: Settings) {
    this.#settings = settings;
  }

  /** Asks one service. @throws CommandError with a sentence where it fails */
  async ask<S extends ServiceDefinition, T>(
    service: GrpcService,
    definition: S,
    question: (client: RpcClient<S>) => Promise<T>,
  ): Promise<T> {
    const { addresses, proof } = this.#settings;
    const address = addresses[service];
    const client = rpcClient(definition, { address, service, caller: 'ops', ...proof, timeoutMs: SHORT_MS });
    try {
      return await question(client);
    } catch (error) {
      throw new CommandError(sentenceOf(error, service, address));
    } finally {
      client.close();
    }
  }

  /** Asks several services at once; one that fails keeps no other's answer back. */
  async askEach<S extends ServiceDefinition, T extends object>(
    services: readonly GrpcService[],
    definition: S,
    question: (client: RpcClient<S>) => Promise<T>,
  ): Promise<Asked<T>> {
    const settled = await Promise.allSettled(services.map((service) => this.ask(service, definition, question)));
    const named = settled.map((result, index) => ({ result, service: services[index] as GrpcService }));
    return {
      answers: named.flatMap(({ result, service }) =>
        result.status === 'fulfilled' ? [{ ...result.value, service }] : [],
      ),
      failures: named.flatMap(({ result, service }) =>
        result.status === 'rejected' ? [{ service, error: (result.reason as Error).message }] : [],
      ),
    };
  }
}

/** The service that is named, or all of them. */
export function chosen(service: GrpcService | undefined): readonly GrpcService[] {
  return service ? [service] : GRPC_SERVICES;
}

function sentenceOf(error: unknown, service: GrpcService, address: string): string {
  if (!isDomainError(error)) return `${service} failed: ${error instanceof Error ? error.message : String(error)}`;
  // Else a neighbour of the service that was asked is away.
  if (error.metadata['service'] === service) return awaySentence(error, service, address);
  if (error.kind === 'unauthenticated' || error.kind === 'forbidden') {
    return `${service} at ${address} does not let you in: SOUK_SERVICE_TOKEN is not the secret that it knows, or your certificate does not name ops.`;
  }
  return `${service}: ${error.message} (${error.reason})`;
}

function awaySentence({ reason }: DomainError, service: GrpcService, address: string): string {
  if (reason === 'DEADLINE_EXCEEDED') {
    return `${service} at ${address} did not answer in time. It may still be at work; the command may be repeated.`;
  }
  return `${service} does not answer at ${address}: see that it runs there.`;
}
