/**
 * What goes wrong in a run, drawn from its seed. Each kind of trouble is in some runs and not in others, so that some runs
 * have a lot of one kind. It ends after a while: what is left then has to come to rest by itself.
 */
import type { Host } from './host.ts';
import type { Weather } from './network.ts';
import type { ProviderWeather } from './provider/provider.ts';
import type { Random } from './random.ts';
import type { Replica, World } from './world.ts';

/** How bad a run is. */
export interface Troubles {
  readonly weather: Weather;
  readonly providerWeather: ProviderWeather;
  /** Chance that a process dies at any one of its steps. */
  readonly deaths: number;
  /** Chance that a process stands still at any one of its steps. */
  readonly pauses: number;
  readonly wrongClocks: boolean;
  readonly databaseOutages: number;
  readonly brokerOutages: number;
  /** What the broker loses of what it had acknowledged. */
  readonly brokerLoses: 'nothing' | 'messages' | 'streams';
}

const MOST_DEATHS = 8;
const MOST_PAUSES = 4;
/** Shorter than any lease, longer than a saga's, longer than a payment's and than any time-out. */
const PAUSES_MS = [
  [100, 2_000],
  [6_500, 9_000],
  [20_500, 26_000],
  [20_500, 26_000],
] as const;
const IDLE_IN_TRANSACTION_MS = 15_000;

export function drawTroubles(random: Random): Troubles {
  const some = (share: number, most: number) => (random.chance(share) ? random.between(0, most) : 0);
  return {
    weather: {
      late: some(0.5, 0.1),
      lateMs: random.pick([20, 300, 3_000]),
      lost: some(0.5, 0.08),
      doubled: some(0.4, 0.08),
      cut: some(0.4, 0.01),
    },
    providerWeather: {
      silent: some(0.5, 0.5),
      broken: some(0.4, 0.3),
      noticesLost: some(0.4, 1),
      noticesDoubled: some(0.4, 0.5),
      noticesLate: some(0.5, 1),
    },
    deaths: some(0.6, 0.008),
    pauses: some(0.5, 0.006),
    wrongClocks: random.chance(0.3),
    databaseOutages: random.chance(0.25) ? random.whole(1, 2) : 0,
    brokerOutages: random.chance(0.25) ? random.whole(1, 2) : 0,
    brokerLoses: random.chance(0.2) ? random.pick(['messages', 'streams'] as const) : 'nothing',
  };
}

export class Nemesis {
  /** Whether the broker has lost something, and its streams have to be rebuilt. */
  hasLost = false;
  private readonly world: World;
  private readonly random: Random;
  private readonly troubles: Troubles;
  private deaths = 0;
  private pauses = 0;
  private isOver = false;

  constructor(world: World, troubles: Troubles, random: Random) {
    this.world = world;
    this.troubles = troubles;
    this.random = random;
  }

  /** Before anything starts. */
  setClocks(): void {
    if (this.troubles.wrongClocks) this.world.replicas.forEach((replica) => this.setClockWrong(replica));
  }

  /** @param forMs how long the trouble lasts */
  begin(forMs: number): void {
    const { scheduler } = this.world;
    const { databaseOutages, brokerOutages, brokerLoses } = this.troubles;
    const sometime = (work: () => void) => scheduler.after(this.random.between(0, forMs), () => this.isOver || work());
    scheduler.beforeEvent = () => this.strike();
    this.world.network.onCall = (host) => this.tempt(host);
    for (let count = 0; count < databaseOutages; count += 1) sometime(() => this.stopDatabase());
    for (let count = 0; count < brokerOutages; count += 1) sometime(() => this.stopBroker());
    if (brokerLoses !== 'nothing') sometime(() => this.lose(brokerLoses));
  }

  /** From now on nothing goes wrong any more, though who stands still goes on in his own time. */
  end(): void {
    this.isOver = true;
    const { scheduler, replicas, network, provider, databases, broker } = this.world;
    scheduler.beforeEvent = undefined;
    network.onCall = undefined;
    network.calmDown();
    provider.calmDown();
    broker.isUp = true;
    for (const database of databases.values()) database.start();
    for (const replica of replicas) {
      if (!replica.host?.isUp) this.world.start(replica);
    }
    this.world.trace.add('nemesis', 'leaves: nothing goes wrong any more');
  }

  /** @returns whether the step that was about to happen is not to happen now */
  private strike(): boolean {
    const host = this.world.scheduler.next;
    const replica = host && this.world.replicas.find((one) => one.host === host);
    if (!replica) return false;
    if (this.deaths < MOST_DEATHS && this.random.chance(this.troubles.deaths)) {
      this.kill(replica);
      return true;
    }
    if (this.pauses >= MOST_PAUSES || !this.random.chance(this.troubles.pauses)) return false;
    this.pause(replica);
    return true;
  }

  /** A process that waits for others is where it hurts most. */
  private tempt(host: Host): void {
    const replica = this.world.replicas.find((one) => one.host === host);
    if (!replica) return;
    const soon = (work: () => void) =>
      this.world.scheduler.after(this.random.between(0, 50), () => this.isOver || !host.isUp || work());
    if (this.deaths < MOST_DEATHS && this.random.chance(20 * this.troubles.deaths)) soon(() => this.kill(replica));
    else if (this.pauses < MOST_PAUSES && this.random.chance(50 * this.troubles.pauses))
      soon(() => this.pause(replica));
  }

  private kill(replica: Replica): void {
    this.deaths += 1;
    this.world.kill(replica);
    const away = this.random.pick([100, 2_000, 10_000]);
    this.world.scheduler.after(this.random.between(50, away), () => {
      if (!replica.host?.isUp) this.world.start(replica);
    });
  }

  private pause({ host, server }: Replica): void {
    if (!host) return;
    this.pauses += 1;
    const { scheduler, trace } = this.world;
    const [least, most] = this.random.pick(PAUSES_MS);
    const forMs = this.random.between(least, most);
    trace.add(host, `STANDS STILL for ${(forMs / 1_000).toFixed(1)} s`);
    host.pausedUntil = scheduler.now + forMs;
    scheduler.after(IDLE_IN_TRANSACTION_MS, () => {
      if (host.pausedUntil > scheduler.now) server.cutIdle(host);
    });
    scheduler.after(forMs, () => trace.add(host, 'goes on'));
  }

  private setClockWrong(replica: Replica): void {
    replica.skewMs = this.random.pick([0, 0, -3_600_000, -20_000, -500, 500, 20_000, 3_600_000]);
    if (replica.skewMs !== 0)
      this.world.trace.add(replica.name, `has a clock that is ${replica.skewMs / 1_000} s ahead`);
  }

  private stopDatabase(): void {
    const [name, database] = this.random.pick([...this.world.databases]);
    this.world.trace.add('nemesis', `the database of ${name} is restarted`);
    database.stop();
    this.world.scheduler.after(this.random.between(100, 8_000), () => database.start());
  }

  private stopBroker(): void {
    const { broker, trace, scheduler } = this.world;
    trace.add('nemesis', 'the broker is away');
    broker.isUp = false;
    scheduler.after(this.random.between(100, 20_000), () => (broker.isUp = true));
  }

  private lose(what: 'messages' | 'streams'): void {
    const { broker, trace } = this.world;
    if (broker.streams.size === 0) return;
    this.hasLost = true;
    const stream = this.random.pick([...broker.streams.values()]);
    if (what === 'streams') {
      trace.add('nemesis', `the broker loses the stream ${stream.name}`);
      return broker.loseStream(stream.name);
    }
    const lost = [...stream.messages.keys()].filter(() => this.random.chance(0.3));
    trace.add('nemesis', `the broker loses ${lost.length} messages of ${stream.name}`);
    for (const seq of lost) broker.loseMessage(stream.name, seq);
  }
}
