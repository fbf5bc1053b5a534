import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Notice {
  payload: string;
  signature: string;
}

/** Somebody who listens to notices; refuses the first `refusals` of them. */
export async function startSubscriber(refusals = 0) {
  const notices: Notice[] = [];
  let left = refusals;
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const refused = left > 0;
      if (refused) left -= 1;
      else
        notices.push({
          payload: Buffer.concat(chunks).toString(),
          signature: String(request.headers['stripe-signature']),
        });
      response.writeHead(refused ? 503 : 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhook`,
    notices,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Waits until something holds. */
export async function until(holds: () => boolean, timeoutMs = 10_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error('It did not come true in time.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
