// A wire that can be cut: put it between a service and NATS, Postgres or a neighbour, to see what the service does while
// that one is away. Guarantees: after `cut` no byte passes and new connections are refused; after `mend` they work again
// at the same address.
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A wire to a server. */
export interface TcpProxy {
  /** host:port to connect to. */
  address: string;
  /** The target's url with the proxy's address. */
  url: string;
  /** Breaks all connections and refuses new ones. */
  cut(): Promise<void>;
  /** Lets connections through again. */
  mend(): Promise<void>;
  close(): Promise<void>;
}

/** Puts a wire before the server of the url; `cut: true` starts it cut. */
export async function tcpProxy(targetUrl: string, { cut = false } = {}): Promise<TcpProxy> {
  const target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let server = await listen(0, (socket) => forward(socket, target, sockets));
  const { port } = server.address() as AddressInfo;
  const address = `127.0.0.1:${port}`;
  const stop = async () => {
    sockets.forEach((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const mend = async () => {
    server = await listen(port, (socket) => forward(socket, target, sockets));
  };
  if (cut) {
    await stop();
  }
  return { address, url: Object.assign(new URL(targetUrl), { host: address }).href, cut: stop, mend, close: stop };
}

function listen(port: number, onSocket: (socket: Socket) => void): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(onSocket);
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function forward(near: Socket, target: URL, sockets: Set<Socket>): void {
  const far = connect(Number(target.port), target.hostname);
  for (const [socket, other] of [
    [near, far],
    [far, near],
  ] as const) {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.pipe(other);
    // An error is followed by "close", which is what counts here.
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      sockets.delete(socket);
      other.destroy();
    });
  }
}
