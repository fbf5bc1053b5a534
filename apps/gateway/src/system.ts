/** What runs: what processes say of themselves in the registry, beside what this gateway sees of those that it calls. */
import type { OnApplicationShutdown } from '@nestjs/common';
import { advertisedHost, Registry, soukVersion, type RegisteredInstance } from '@souk/discovery';
import { poolStates, type InstanceState } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import type { GatewayConfig } from './config.js';

/** An instance by either or both of the two. */
export interface SystemInstance {
  readonly service: string;
  readonly address: string;
  readonly registered: RegisteredInstance | undefined;
  readonly seen: InstanceState | undefined;
}

export class SystemView implements OnApplicationShutdown {
  private readonly registry: Registry | undefined;

  constructor(
    private readonly config: GatewayConfig,
    logger: Logger,
  ) {
    const { registersItself, natsUrl: url, natsPrefix: prefix } = config;
    if (!registersItself || !url) return;
    const self = { service: 'gateway', address: this.addressAt(config.port), version: soukVersion() };
    this.registry = new Registry({ url, prefix, ...self, logger });
  }

  /** Of the list of those who registered: `stale` while NATS is away. */
  get registryState(): 'live' | 'stale' | 'off' {
    if (!this.registry) return 'off';
    return this.registry.isLive ? 'live' : 'stale';
  }

  get instances(): SystemInstance[] {
    const found = new Map<string, SystemInstance>();
    const idOf = (service: string, address: string) => `${service} ${address}`;
    for (const { service, instances } of poolStates()) {
      for (const { address, state } of instances)
        found.set(idOf(service, address), { service, address, registered: undefined, seen: state });
    }
    for (const registered of this.registry?.instances ?? []) {
      const { service, address } = registered;
      const id = idOf(service, address);
      // A process that took the port of one that died is there twice, for as long as that one's entry lives.
      const key = found.get(id)?.registered ? registered.instance : id;
      found.set(key, { service, address, registered, seen: found.get(id)?.seen });
    }
    return [...found.values()].sort((one, other) => sortKey(one).localeCompare(sortKey(other)));
  }

  async ready(): Promise<void> {
    await this.registry?.announce('ready');
  }

  async drain(): Promise<void> {
    await this.registry?.announce('draining');
  }

  async onApplicationShutdown(): Promise<void> {
    await this.registry?.close();
  }

  private addressAt(port: number): string {
    return `${advertisedHost(this.config.host)}:${port}`;
  }
}

function sortKey({ service, address }: SystemInstance): string {
  return `${service} ${address}`;
}
