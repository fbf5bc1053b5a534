// A wire to Postgres that breaks at a COMMIT, before the server sees it or after the server has done it: for the caller
// both look the same, and the outcome is unknown.
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Where the wire breaks: the server never gets the COMMIT, or its answer gets lost. */
export type Cut = 'before commit' | 'after commit';

/** A wire to Postgres. */
export interface CommitCutter {
  /** The database's url by way of the wire. */
  url: string;
  /** Breaks the wire once, at the next COMMIT. */
  cutNext(cut: Cut): void;
  close(): Promise<void>;
}

const COMMIT = Buffer.from('COMMIT\0');

/** Puts the wire before the database of the url. */
export async function commitCutter(databaseUrl: string): Promise<CommitCutter> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  let next: Cut | undefined;
  const takeCut = () => {
    const cut = next;
    next = undefined;
    return cut;
  };
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    forward(near, far, takeCut);
    [near, far].forEach((socket) => sockets.add(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: Object.assign(new URL(databaseUrl), { host: `127.0.0.1:${port}` }).href,
    cutNext: (cut) => void (next = cut),
    close: async () => {
      sockets.forEach((socket) => socket.destroy());
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function forward(near: Socket, far: Socket, takeCut: () => Cut | undefined): void {
  let deaf = false;
  const end = () => [near, far].forEach((socket) => socket.destroy());
  for (const socket of [near, far]) socket.setNoDelay(true).on('error', end).on('close', end);
  near.on('data', (bytes: Buffer) => {
    const cut = bytes.includes(COMMIT) ? takeCut() : undefined;
    if (cut === 'before commit') return void end();
    deaf ||= cut === 'after commit';
    far.write(bytes);
  });
  // The first bytes after the COMMIT are its answer: it is done.
  far.on('data', (bytes: Buffer) => (deaf ? void end() : void near.write(bytes)));
}
