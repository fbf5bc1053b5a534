// Natural batching: whatever arrives while a run is under way is decided together in the next run, so that a hot row is
// locked once per run and not once per caller; under light load every item runs at once and alone. Guarantees: items run
// in the order of their arrival, never two runs at a time, and a bad item fails alone. A failing run is therefore
// repeated item by item: `run` must either have no effect when it throws (a transaction) or be safe to repeat.
import { AsyncLocalStorage } from 'node:async_hooks';
import { DomainError, isDomainError } from '@souk/errors';

/** Limits of a Batcher. */
export interface BatcherOptions {
  /** Most items of one run (256). */
  maxBatch?: number;
  /** Most items that wait; beyond it `add` is refused with OVERLOADED (10 000). */
  maxQueue?: number;
}

interface Entry<In, Out> {
  item: In;
  inContext: <T>(work: () => T) => T;
  resolve: (result: Out) => void;
  reject: (error: unknown) => void;
}

/** Collects single items into runs. `run` answers one result per item, in the order of the items. */
export class Batcher<In, Out> {
  private readonly queue: Entry<In, Out>[] = [];
  private readonly maxBatch: number;
  private readonly maxQueue: number;
  private running = false;

  constructor(
    private readonly run: (items: In[]) => Promise<Out[]>,
    options: BatcherOptions = {},
  ) {
    this.maxBatch = options.maxBatch ?? 256;
    this.maxQueue = options.maxQueue ?? 10_000;
  }

  /** Puts the item into the next run and answers its result, or throws its error. */
  add(item: In): Promise<Out> {
    if (this.queue.length >= this.maxQueue) {
      return Promise.reject(overloaded());
    }
    return new Promise<Out>((resolve, reject) => {
      // A run does the work of many callers; without this it would go on in the context of the one that started it.
      const inContext = AsyncLocalStorage.snapshot();
      this.queue.push({ item, inContext, resolve, reject });
      this.start();
    });
  }

  private start(): void {
    if (!this.running) {
      this.running = true;
      // One turn of the event loop, so that the items of one tick go together.
      setImmediate(() => void this.drain());
    }
  }

  private async drain(): Promise<void> {
    while (this.queue.length > 0) {
      await this.settle(this.queue.splice(0, this.maxBatch));
    }
    this.running = false;
  }

  private async settle(batch: Entry<In, Out>[]): Promise<void> {
    try {
      const results = await this.runBatch(batch);
      batch.forEach((entry, index) => entry.resolve(results[index] as Out));
    } catch (error) {
      if (batch.length === 1 || blamesNoItem(error)) {
        batch.forEach((entry) => entry.reject(error));
        return;
      }
      await this.settleOneByOne(batch);
    }
  }

  private async settleOneByOne(batch: Entry<In, Out>[]): Promise<void> {
    for (const entry of batch) {
      await this.settle([entry]);
    }
  }

  private async runBatch(batch: Entry<In, Out>[]): Promise<Out[]> {
    const items = batch.map((entry) => entry.item);
    const results = await (batch[0] as Entry<In, Out>).inContext(() => this.run(items));
    if (results.length !== items.length) {
      throw new DomainError({
        kind: 'unavailable',
        reason: 'BATCH_RESULTS_MISSING',
        message: `A run of ${items.length} items gave ${results.length} results.`,
      });
    }
    return results;
  }
}

// Nothing is gained by asking a database that is away once more for every item.
function blamesNoItem(error: unknown): boolean {
  return isDomainError(error) && error.kind === 'unavailable';
}

function overloaded(): DomainError {
  return new DomainError({
    kind: 'exhausted',
    reason: 'OVERLOADED',
    message: 'Too many requests are waiting; try again shortly.',
  });
}
