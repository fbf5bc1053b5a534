/**
 * Waits until nothing is under way any more: sagas at their end, outboxes and consumers empty, money settled, notices and
 * mails delivered. What does not come to rest in time is listed: each acknowledged order must reach its end (I4).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Sources } from './sources.ts';

export interface Rest {
  /** Seconds from the healing until nothing was under way. */
  readonly seconds: number;
  /** What is still under way, when the time is over. */
  readonly stuck: readonly string[];
}

const POLL_MS = 500;
/** As long as that nothing may begin anew: one event may be the cause of another. */
const CALM_MS = 2_000;

/** @param healed when that was, on this process's clock */
export async function awaitRest(sources: Sources, healed: number, mostMs: number): Promise<Rest> {
  let calmSince: number | undefined;
  for (;;) {
    const stuck = await underWay(sources);
    const now = Date.now();
    calmSince = stuck.length === 0 ? (calmSince ?? now) : undefined;
    if (calmSince !== undefined && now - calmSince >= CALM_MS) return { seconds: (calmSince - healed) / 1_000, stuck };
    if (now - healed > mostMs) return { seconds: (now - healed) / 1_000, stuck };
    await sleep(POLL_MS);
  }
}

async function underWay(sources: Sources): Promise<string[]> {
  const found = await Promise.all([
    sources.count('orders', 'unfinished sagas', `FROM orders WHERE saga_phase IN ('CHECKOUT', 'UNDO')`),
    sources.count('payments', 'payments with a step left', `FROM payments WHERE next_try_at IS NOT NULL`),
    sources.count('payments', 'notices to act on', `FROM webhook_inbox WHERE next_try_at IS NOT NULL`),
    sources.count('notifications', 'mails to send', `FROM notifications WHERE state IN ('QUEUED', 'SENDING')`),
    ...sources.publishers.map((service) =>
      sources.count(service, `events of ${service} to publish`, 'FROM outbox WHERE sent_at IS NULL'),
    ),
    sources.undeliveredNotices(),
    sources.unreadEvents(),
  ]);
  return found.flat();
}
