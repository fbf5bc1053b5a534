import type { EventConsumer } from '@souk/inbox';

/** The event consumers of a service: they start when it is complete, and finish what they have in hand when it ends. */
export class Consumers {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- consumers of different events side by side
  constructor(private readonly consumers: readonly EventConsumer<any>[]) {}

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.start()));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.consumers.map((consumer) => consumer.stop()));
  }
}
