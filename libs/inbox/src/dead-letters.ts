// The events that the consumers of one service gave up. Guarantees: a letter is taken off the list only after its event
// was handled, now or before; one that fails again stays. Two replays at a time hand an event out once.
import { DEAD_LETTERS, lastSequence, storedMessage, type EventBus } from '@souk/events';
import { isDatabaseUnavailable } from '@souk/postgres';
import type { Logger } from '@souk/telemetry';
import { countLetters, deleteLetter, toDeadLetter, type DeadLetter } from './dead-letter.js';
import type { AnyConsumer, ReplayCount } from './redelivery.js';

/** Which letters are meant: those that fulfil everything that is given. */
export interface LetterFilter {
  /** Only this consumer's. */
  readonly consumer?: string;
  /** Only these; all where it is left out. */
  readonly ids?: readonly bigint[];
  /** Only those given up at or after. */
  readonly from?: Date;
  /** Only those given up before. */
  readonly to?: Date;
}

export interface DeadLettersOptions {
  readonly bus: EventBus;
  readonly logger: Logger;
  /** The service whose consumers gave up: `inventory`. */
  readonly service: string;
  readonly consumers: readonly AnyConsumer[];
}

const FIRST = 1n;

export class DeadLetters {
  constructor(private readonly options: DeadLettersOptions) {}

  /** How many letters there are for each consumer that has any. */
  async count(): Promise<Map<string, number>> {
    const counted = await countLetters(this.options.bus);
    return new Map([...counted].filter(([consumer]) => this.isOurs(consumer)));
  }

  /** Letters, oldest first, from the given one on. */
  async list(filter: Pick<LetterFilter, 'consumer'>, { limit, from = FIRST }: { limit: number; from?: bigint }) {
    const letters: DeadLetter[] = [];
    if (limit === 0) return letters;
    for await (const letter of this.walk(filter.consumer, from)) {
      if (letters.push(letter) === limit) break;
    }
    return letters;
  }

  /** Hands the letters' events to their consumers once more. */
  async replay(filter: LetterFilter = {}): Promise<ReplayCount> {
    const count: ReplayCount = { handled: 0, skipped: 0, failed: 0 };
    // What is given up from now on is left for the next time.
    const last = BigInt(await lastSequence(this.options.bus, DEAD_LETTERS));
    for await (const letter of this.chosen(filter)) {
      if (letter.id > last) break;
      if (this.isOurs(letter.consumer) && isWanted(letter, filter)) count[await this.replayOne(letter)] += 1;
    }
    return count;
  }

  private async replayOne(letter: DeadLetter): Promise<keyof ReplayCount> {
    const { bus, consumers, logger } = this.options;
    const consumer = consumers.find(({ durable }) => durable === letter.consumer);
    const [outcome] = consumer
      ? await consumer.redeliver([letter])
      : [new Error('There is no such consumer any more.')];
    if (isDatabaseUnavailable(outcome)) throw outcome as unknown;
    if (outcome === 'handled' || outcome === 'skipped') {
      await deleteLetter(bus, letter.id);
      return outcome;
    }
    logger.warn({ err: outcome, durable: letter.consumer, eventId: letter.eventId }, 'a dead letter failed once more');
    return 'failed';
  }

  private isOurs(consumer: string): boolean {
    return consumer.startsWith(`${this.options.service}-`);
  }

  private async *chosen({ ids = [], consumer }: LetterFilter): AsyncGenerator<DeadLetter> {
    if (ids.length === 0) {
      yield* this.walk(consumer);
      return;
    }
    for (const id of ids) {
      const message = await storedMessage(this.options.bus, DEAD_LETTERS, { seq: Number(id) });
      if (message) yield toDeadLetter(message);
    }
  }

  /** The letters of several consumers in the order of their places: always the one that comes first of all consumers' next ones. */
  private async *walk(consumer?: string, from = FIRST): AsyncGenerator<DeadLetter> {
    const { bus } = this.options;
    const next = new Map<string, DeadLetter>();
    const step = async (name: string, seq: bigint) => {
      const query = { seq: Number(seq), next_by_subj: bus.subject(`dead.${name}`) };
      const message = await storedMessage(bus, DEAD_LETTERS, query);
      if (message) next.set(name, toDeadLetter(message));
      else next.delete(name);
    };
    const names = [...(await this.count()).keys()].filter((name) => !consumer || name === consumer);
    await Promise.all(names.map((name) => step(name, from)));
    while (next.size > 0) {
      const [name, letter] = [...next].reduce((first, other) => (other[1].id < first[1].id ? other : first));
      yield letter;
      await step(name, letter.id + 1n);
    }
  }
}

function isWanted({ consumer, time }: DeadLetter, filter: LetterFilter): boolean {
  if (filter.consumer && consumer !== filter.consumer) return false;
  return (!filter.from || time >= filter.from) && (!filter.to || time < filter.to);
}
