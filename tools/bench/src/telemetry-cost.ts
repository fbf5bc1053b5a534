/**
 * What it costs to be watched: two Souks side by side, one of which sends traces and has its metrics read, under the same load
 * in turns, so that both see the same machine. What is sampled is what the caller's OTEL_TRACES_SAMPLER says: all, by default.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { launchSouk, type LaunchedSouk } from '@souk/runner/launch';
import { httpClient } from './http.ts';
import { load } from './load.ts';
import { buy, login, stockUp } from './shop.ts';

const BUYERS = 16;
const ROUNDS = 5;
const READ_EVERY_MS = 5_000;
const SERVICES = ['gateway', 'identity', 'catalog', 'inventory', 'orders', 'payments', 'notifications'] as const;

/** @returns orders per second with telemetry for each without, over all rounds */
export async function telemetryCost(seconds: number, say: (line: string) => void): Promise<number> {
  const receiver = await swallow();
  const watched = await launchSouk({ args: ['--no-sale'], env: { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url } });
  const alone = await launchSouk({ args: ['--no-sale'] });
  const reading = setInterval(() => void read(watched), READ_EVERY_MS);
  try {
    const [withIt, without] = [await shopper(watched), await shopper(alone)];
    const counts = { withIt: 0, without: 0 };
    for (let round = 0; round <= ROUNDS; round++) {
      const without1 = await load(BUYERS, seconds / 2, without);
      const withIt1 = await load(BUYERS, seconds, withIt);
      const without2 = await load(BUYERS, seconds / 2, without);
      if (round === 0) continue;
      counts.withIt += withIt1.perSecond;
      counts.without += (without1.perSecond + without2.perSecond) / 2;
      say(
        `  round ${round}: ${withIt1.perSecond.toFixed(0)}/s with, ${((without1.perSecond + without2.perSecond) / 2).toFixed(0)}/s without`,
      );
    }
    const ratio = counts.withIt / counts.without;
    say(
      `orders with telemetry for each without: ${ratio.toFixed(3)} (wanted: 0.85); ${receiver.requests()} batches of spans came`,
    );
    return ratio;
  } finally {
    clearInterval(reading);
    for (const souk of [watched, alone]) {
      await souk.stop();
      souk.remove();
    }
    receiver.close();
  }
}

async function shopper(souk: LaunchedSouk): Promise<() => Promise<string>> {
  const { call } = httpClient(souk.url, BUYERS);
  const token = await login(call, 'admin@souk.local', souk.secrets.adminPassword);
  const skus = await stockUp(call, token, 'WATCH', 40);
  return () => buy(call, skus[Math.floor(Math.random() * skus.length)] ?? '');
}

/** What Prometheus would do. */
async function read(souk: LaunchedSouk): Promise<void> {
  for (const service of SERVICES)
    await fetch(`http://127.0.0.1:${souk.ports[`${service}-management`]}/metrics`).then(
      (response) => response.text(),
      () => undefined,
    );
}

/** A receiver that takes everything and keeps nothing. */
async function swallow() {
  let requests = 0;
  const server = createServer((request, response) => {
    requests++;
    request.resume().on('end', () => response.end());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests: () => requests, close };
}
