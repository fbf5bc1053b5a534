/** Stands between the service and the provider, and takes the idempotency keys off the calls while it is told to. */
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface KeylessProxy {
  readonly url: string;
  takeKeys: boolean;
  close(): void;
}

export async function keylessProxy(target: string): Promise<KeylessProxy> {
  const proxy = { takeKeys: false };
  const server: Server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers };
    if (proxy.takeKeys) delete headers['idempotency-key'];
    const call = request(new URL(incoming.url ?? '/', target), { method: incoming.method, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    call.on('error', () => outgoing.destroy());
    outgoing.on('close', () => call.destroy());
    incoming.pipe(call);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return Object.assign(proxy, { url, close });
}
