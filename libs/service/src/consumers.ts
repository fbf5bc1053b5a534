import type { AnyConsumer } from '@souk/inbox';

/** The event consumers of a service: they start when it is complete, and finish what they have in hand when it ends. */
export class Consumers {
  constructor(readonly list: readonly AnyConsumer[]) {}

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all(this.list.map((consumer) => consumer.start()));
  }

  async onModuleDestroy(): Promise<void> {
    await Promise.all(this.list.map((consumer) => consumer.stop()));
  }
}
