/**
 * The usage of all clients, shared between the replicas of the gateway. Guarantees: a request waits for no network; memory and
 * messages are bounded (the clients seen longest ago are forgotten first); what was counted while NATS was away is told
 * when it is back, as far as it still matters. While it is away each replica keeps to the limit divided by the number of replicas
 * that there were, so that together they stay below it.
 */
import { randomBytes } from 'node:crypto';
import type { Broadcast } from '@souk/events';
import { metrics } from '@souk/telemetry';
import { LRUCache } from 'lru-cache';
import { decode, digestOf, encode, MOST_ENTRIES, REPLICA_BYTES } from './gossip.js';
import { at, judge, unused, withOne, withOthers, type Standing, type Usage, type Verdict } from './usage.js';

const SUBJECT = 'souk.gateway.usage';
const TELL_EVERY_MS = 100;
/** How often a replica says that it is there, though it has nothing to tell. */
const BEAT_MS = 1_000;
const GONE_AFTER_MS = 3_500;
const MOST_CLIENTS = 100_000;
/** The part of a limit that is used before others are told: who stays far below his limits costs no message. */
const UNTOLD_PART = 0.01;

const replicasGauge = metrics.gauge('souk_gateway_replicas');

export class SharedUsage {
  private readonly replica = randomBytes(REPLICA_BYTES).toString('latin1');
  private readonly secret: string;
  private readonly digests = new LRUCache<string, string>({ max: MOST_CLIENTS });
  private readonly usages = new LRUCache<string, Usage>({
    max: MOST_CLIENTS,
    dispose: (_usage, digest, reason) => reason === 'evict' && this.toTell.delete(digest),
  });
  private readonly toTell = new Set<string>();
  private readonly heardAt = new Map<string, number>();
  private readonly timer: NodeJS.Timeout | undefined;
  private keepAllUntil = 0;
  private spokeAt = 0;

  /** @param secret what all replicas know; without it this one counts alone */
  constructor(
    private readonly broadcast: Pick<Broadcast, 'publish' | 'subscribe' | 'connected'>,
    secret: string | undefined,
  ) {
    this.secret = secret ?? randomBytes(32).toString('base64');
    replicasGauge.set(1);
    if (secret === undefined) return;
    broadcast.subscribe(SUBJECT, (data) => this.hear(data));
    this.timer = setInterval(() => this.tell(), TELL_EVERY_MS).unref();
  }

  /** Whether a client may make one more request; counts nothing. */
  ask(key: string, limit: number): Verdict {
    const now = Date.now();
    return judge(this.usageOf(this.digest(key), now), limit, this.standing(), now);
  }

  /** Counts a request that is let in. */
  count(key: string, limit: number): void {
    const digest = this.digest(key);
    const usage = withOne(this.usageOf(digest, Date.now()));
    this.usages.set(digest, usage);
    if (this.timer && usage.untold >= limit * UNTOLD_PART) this.toTell.add(digest);
  }

  onApplicationShutdown(): void {
    clearInterval(this.timer);
  }

  private standing(): Standing {
    const replicas = 1 + this.heardAt.size;
    return { replicas, apart: replicas > 1 && !this.broadcast.connected };
  }

  private digest(key: string): string {
    let digest = this.digests.get(key);
    if (digest === undefined) this.digests.set(key, (digest = digestOf(this.secret, key)));
    return digest;
  }

  private usageOf(digest: string, now: number): Usage {
    const usage = this.usages.get(digest);
    return usage ? at(usage, now) : unused(now);
  }

  private tell(): void {
    const now = Date.now();
    this.forget(now);
    if (!this.broadcast.connected || (this.toTell.size === 0 && now - this.spokeAt < BEAT_MS)) return;
    const digests = firstOf(this.toTell, MOST_ENTRIES);
    const grown = digests.map((digest) => [digest, this.usageOf(digest, now).untold] as const);
    if (!this.broadcast.publish(SUBJECT, encode(this.secret, { replica: this.replica, grown }))) return;
    this.spokeAt = now;
    for (const digest of digests) {
      this.toTell.delete(digest);
      this.usages.set(digest, { ...this.usageOf(digest, now), untold: 0 });
    }
  }

  private hear(data: Uint8Array): void {
    const told = decode(this.secret, data);
    if (!told || told.replica === this.replica) return;
    const now = Date.now();
    this.heardAt.set(told.replica, now);
    for (const [digest, count] of told.grown) {
      this.usages.set(digest, withOthers(this.usageOf(digest, now), count));
    }
  }

  /** Replicas that are silent are gone, unless nobody could be heard. */
  private forget(now: number): void {
    if (!this.broadcast.connected) this.keepAllUntil = now + GONE_AFTER_MS;
    else if (now > this.keepAllUntil) {
      this.heardAt.forEach((heard, replica) => now - heard > GONE_AFTER_MS && this.heardAt.delete(replica));
    }
    replicasGauge.set(1 + this.heardAt.size);
  }
}

function firstOf(all: ReadonlySet<string>, most: number): string[] {
  const first: string[] = [];
  for (const one of all) {
    if (first.length === most) break;
    first.push(one);
  }
  return first;
}
