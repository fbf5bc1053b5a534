// NATS for specs: one server for the whole run, and a prefix before every subject and stream, so that specs that run at
// the same time do not meet. Guarantees: `close` deletes the streams that were made under the prefix.
import { randomBytes } from 'node:crypto';
import { connectEvents, type EventBus } from '@souk/events';

/** The bus of one spec. */
export interface TestNats {
  bus: EventBus;
  /** For services that connect by themselves: give them this url and this prefix. */
  url: string;
  prefix: string;
  /** Deletes what was made and disconnects. */
  close(): Promise<void>;
}

/** Connects to the run's NATS under a prefix of its own. */
export async function testNats(): Promise<TestNats> {
  const url = process.env['SOUK_TEST_NATS_URL'];
  if (!url) {
    throw new Error('SOUK_TEST_NATS_URL is not set: name the spec *.it-spec.ts or *.component-spec.ts.');
  }
  const prefix = `t${randomBytes(6).toString('hex')}`;
  const bus = await connectEvents({ url, name: 'test', prefix });
  return { bus, url, prefix, close: () => cleanUp(bus) };
}

async function cleanUp(bus: EventBus): Promise<void> {
  for await (const name of bus.jsm.streams.names()) {
    if (name.startsWith(`${bus.prefix}-`)) {
      await bus.jsm.streams.delete(name);
    }
  }
  await bus.close();
}
