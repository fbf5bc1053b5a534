/** Calls any RPC by its name with an empty message, as any caller. */
import * as audit from '@souk/proto/audit/v1';
import * as catalog from '@souk/proto/catalog/v1';
import * as identity from '@souk/proto/identity/v1';
import * as inventory from '@souk/proto/inventory/v1';
import * as notifications from '@souk/proto/notifications/v1';
import * as operations from '@souk/proto/operations/v1';
import * as orders from '@souk/proto/orders/v1';
import * as payments from '@souk/proto/payments/v1';
import * as privacy from '@souk/proto/privacy/v1';
import { rpcClient, serviceName, type RpcClient, type ServiceDefinition } from '@souk/rpc';
import type { LaunchedSouk } from '@souk/runner/launch';
import { as, type Identity } from './identities.js';

const MODULES = { audit, catalog, identity, inventory, notifications, operations, orders, payments, privacy };
const SERVICES = ['identity', 'catalog', 'inventory', 'orders', 'payments', 'notifications'] as const;

/** They keep personal data, and answer identity, which erases its own by itself. */
const KEEPERS = ['orders', 'payments', 'notifications'] as const;

const DEFINITIONS = new Map(
  Object.values(MODULES).flatMap((module) =>
    Object.entries(module)
      .filter(([name]) => name.endsWith('ServiceService'))
      .map(
        ([, definition]) => [serviceName(definition as ServiceDefinition), definition as ServiceDefinition] as const,
      ),
  ),
);

export class Rpcs {
  private readonly clients = new Map<string, RpcClient<ServiceDefinition>>();

  constructor(private readonly souk: LaunchedSouk) {}

  close(): void {
    this.clients.forEach((client) => client.close());
  }

  /**
   * The services that serve it: operators, and who asks for who did what, are served by all of them, erasures by those that
   * keep personal data.
   */
  hostsOf(rpc: string): (typeof SERVICES)[number][] {
    const scope = rpc.split('.')[1];
    if (scope === 'privacy') return [...KEEPERS];
    return SERVICES.filter((service) => service === scope || scope === 'operations' || scope === 'audit');
  }

  /** @returns `in`, or the reason of the refusal */
  async outcome(
    rpc: string,
    host: (typeof SERVICES)[number],
    who: Identity,
    caller: string | undefined,
  ): Promise<string> {
    const [service = '', method = ''] = rpc.split('/');
    const name = method.charAt(0).toLowerCase() + method.slice(1);
    const definition = DEFINITIONS.get(service);
    const shape = definition?.[name];
    if (!definition || !shape) throw new Error(`${rpc} is in no generated code.`);
    const empty = shape.requestDeserialize(Buffer.alloc(0));
    const call = this.client(definition, host, caller)[name] as (request: unknown) => Promise<unknown>;
    try {
      await as(who, () => call(shape.requestStream ? [empty][Symbol.iterator]() : empty));
      return 'in';
    } catch (error) {
      const { reason, message } = error as { reason?: string; message: string };
      if (!reason) throw new Error(`${rpc} as ${who.name} by ${caller ?? 'nobody'}: ${message}`, { cause: error });
      return ['UNAUTHENTICATED', 'PERMISSION_DENIED', 'TOKEN_INVALID'].includes(reason) ? reason : 'in';
    }
  }

  private client(definition: ServiceDefinition, host: (typeof SERVICES)[number], caller: string | undefined) {
    const key = `${serviceName(definition)} ${host} ${caller ?? ''}`;
    const known = this.clients.get(key);
    if (known) return known;
    const address = `127.0.0.1:${this.souk.ports[host]}`;
    const proof = {
      caller: caller ?? 'gateway',
      serviceToken: caller ? this.souk.secrets.serviceToken : 'no secret of theirs',
    };
    const client = rpcClient(definition, { address, ...proof, timeoutMs: 20_000 });
    this.clients.set(key, client);
    return client;
  }
}
