import type { EventBus } from '@souk/events';
import type { OutboxRelay } from '@souk/outbox';
import type { Database } from '@souk/postgres';

/** Starts the relay with the service, and ends relay and connections with it, in that order. */
export class Connections {
  constructor(
    private readonly database: Database,
    private readonly bus: EventBus,
    private readonly relay: OutboxRelay,
  ) {}

  onApplicationBootstrap(): void {
    this.relay.start();
  }

  async onModuleDestroy(): Promise<void> {
    await this.relay.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.bus.close();
    await this.database.close();
  }
}
