// Sees to it that a consumer moves. Guarantees: events that nobody handles although nothing keeps us from it are noticed
// within two intervals, told in the log and in the metrics, and asked for anew; if that does not help, the consumer is made
// anew on the broker. Then it gets all events of the stream, and the inbox knows which of them are new.
import type { ConsumerInfo } from '@nats-io/jetstream';
import { streamName, type EventBus } from '@souk/events';
import { metrics, type Logger } from '@souk/telemetry';
import { countLetters } from './dead-letter.js';
import type { Subscription } from './subscription.js';

/** What to watch. */
export interface WatchdogOptions {
  bus: EventBus;
  durable: string;
  type: string;
  logger: Logger;
  /** How often it looks. */
  stallMs: number;
  subscription: Pick<Subscription, 'idle' | 'renew'>;
}

const pending = metrics.gauge('inbox_pending');
const letters = metrics.gauge('inbox_dead_letters');
const stalls = metrics.counter('inbox_stalls_total');

/** Looks at one consumer from time to time. */
export class Watchdog {
  private timer?: NodeJS.Timeout;
  private seen = '';
  private stalled = 0;

  constructor(private readonly options: WatchdogOptions) {}

  start(): void {
    this.timer ??= setInterval(() => void this.look(), this.options.stallMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private async look(): Promise<void> {
    const { bus, durable, type, logger } = this.options;
    try {
      const info = await bus.jsm.consumers.info(bus.stream(streamName(type)), durable);
      pending.set({ consumer: durable }, info.num_pending + info.num_ack_pending);
      letters.set({ consumer: durable }, (await countLetters(bus, durable)).get(durable) ?? 0);
      await this.judge(info);
    } catch (error) {
      // The broker is away, or the consumer is being made anew: the subscription knows.
      logger.debug({ err: error, durable }, 'the consumer could not be looked at');
    }
  }

  private async judge({ delivered, ack_floor: floor, num_pending: waiting }: ConsumerInfo): Promise<void> {
    const seen = `${delivered.consumer_seq} ${floor.consumer_seq}`;
    const moved = seen !== this.seen;
    this.seen = seen;
    const { durable, logger, subscription } = this.options;
    if (moved || waiting === 0 || !subscription.idle) {
      this.stalled = 0;
      return;
    }
    this.stalled += 1;
    stalls.inc({ consumer: durable });
    logger.warn({ durable, waiting, times: this.stalled }, 'a consumer does not move; asking for its events anew');
    await subscription.renew({ consumer: this.stalled > 1 });
  }
}
