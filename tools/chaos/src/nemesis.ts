/** Makes the planned faults happen, and mends all of them in the end. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from './cluster.ts';
import type { Fault, PlannedFault, ProviderFault } from './fault-plan.ts';
import { HttpClient } from './http.ts';
import type { Random } from './random.ts';
import type { Sources } from './sources.ts';

const PROVIDER_TRIES = 20;

export class Nemesis {
  readonly injected = new Map<string, number>();
  readonly #cluster: Cluster;
  readonly #sources: Sources;
  readonly #provider: HttpClient;
  readonly #random: Random;
  readonly #log: (line: string) => void;
  readonly #active = new Set<() => Promise<void>>();
  readonly #providerFaults = new Set<ProviderFault>();

  /** @param log is told of each fault as it begins and ends */
  constructor(cluster: Cluster, sources: Sources, random: Random, log: (line: string) => void) {
    this.#cluster = cluster;
    this.#random = random;
    this.#sources = sources;
    this.#provider = new HttpClient(cluster.port('provider'));
    this.#log = log;
  }

  /** Resolves when the last fault has begun and the time is over; some may still act. */
  async run(plan: readonly PlannedFault[], lengthMs: number): Promise<void> {
    const began = Date.now();
    const until = async (at: number): Promise<void> => {
      await sleep(Math.max(0, began + at - Date.now()));
    };
    for (const { at, label, fault } of plan) {
      await until(at);
      this.injected.set(label, (this.injected.get(label) ?? 0) + 1);
      await this.#begin(label, fault);
    }
    await until(lengthMs);
  }

  /** Ends every fault that still acts; resolves when all processes answer again. */
  async heal(): Promise<void> {
    await Promise.all([...this.#active].map((end) => end()));
    await this.#cluster.ready();
    // A provider that was away may have missed it.
    if (!(await this.#tellProvider())) throw new Error('The provider does not let go of its faults.');
    await this.#endRefunds();
    await this.#sendNotices();
    this.#provider.close();
  }

  /** Banks make up their minds about the refunds that were left pending. */
  async #endRefunds(): Promise<void> {
    const { refunds } = await this.#sources.books();
    for (const { id: refund } of refunds.filter(({ status }) => status === 'pending')) {
      const body = { refund, status: this.#random.chance(0.7) ? 'succeeded' : 'failed' };
      const { status } = await this.#provider.call({ method: 'POST', path: '/_sandbox/refunds/end', body });
      if (status !== 200) throw new Error(`The end of the refund ${refund} answered ${status}.`);
    }
  }

  /** The provider's pauses grow to minutes, and nothing is at rest before its last notice was delivered. */
  async #sendNotices(): Promise<void> {
    const { status } = await this.#provider.call({ method: 'POST', path: '/_sandbox/notices/send' });
    if (status !== 200) throw new Error(`The provider was told to send its notices and answered ${status}.`);
  }

  async #begin(label: string, fault: Fault): Promise<void> {
    this.#log(`${label}: ${JSON.stringify(fault)}`);
    const undo = await this.#apply(fault);
    if (!undo || !('forMs' in fault)) return;
    const end = async (): Promise<void> => {
      if (!this.#active.delete(end)) return;
      clearTimeout(timer);
      await undo();
      this.#log(`ended: ${label}`);
    };
    this.#active.add(end);
    const timer = setTimeout(() => void end(), fault.forMs);
  }

  /** @returns what ends it */
  async #apply(fault: Fault): Promise<(() => Promise<void>) | undefined> {
    switch (fault.kind) {
      case 'kill':
        this.#cluster.kill(fault.target);
        return undefined;
      case 'pause': {
        const goOn = this.#cluster.pause(fault.target);
        return async () => goOn();
      }
      case 'link': {
        const { wires } = this.#cluster;
        const calms = await Promise.all(fault.links.map((link) => wires.disturb(link, fault.disturbance)));
        return async () => void (await Promise.all(calms.map((calm) => calm(fault.breaking))));
      }
      case 'events again':
        // NATS may be away just now: then there is nobody to publish to.
        this.#sources.publishAgain(fault.stream, fault.count).catch((error: unknown) => this.#log(String(error)));
        return undefined;
      case 'provider':
        this.#providerFaults.add(fault.fault);
        void this.#tellProvider();
        return async () => {
          this.#providerFaults.delete(fault.fault);
          await this.#tellProvider();
        };
    }
  }

  /** The provider forgets its faults when it dies, so it is told all of them each time. @returns whether it was told */
  async #tellProvider(): Promise<boolean> {
    for (let attempt = 1; attempt <= PROVIDER_TRIES; attempt++) {
      const path = '/_sandbox/faults';
      const faults = [...this.#providerFaults];
      const cleared = await this.#provider.call({ method: 'DELETE', path });
      const answers = await Promise.all(faults.map((body) => this.#provider.call({ method: 'POST', path, body })));
      if ([cleared, ...answers].every(({ status }) => status === 200)) return true;
      await sleep(250);
    }
    this.#log('the provider does not take its faults');
    return false;
  }
}
