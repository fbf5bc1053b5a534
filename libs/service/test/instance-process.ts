import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { NotificationsServiceService } from '@souk/proto/notifications/v1';
import { rpcClient } from '@souk/rpc';

const PROGRAM = join(__dirname, 'one-rpc-server.cjs');
const OneRpc = { listNotifications: NotificationsServiceService.listNotifications } as const;

/** An instance that runs in a process of its own. */
export class InstanceProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly port: number,
  ) {}

  /** @param workMs how long it works on each call */
  static async start({ port = 0, workMs = 2 } = {}): Promise<InstanceProcess> {
    const child = fork(PROGRAM, [OneRpc.listNotifications.path, String(port), String(workMs)], { execArgv: [] });
    const [message] = (await once(child, 'message')) as [{ port: number }];
    return new InstanceProcess(child, message.port);
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** How many calls it has got. */
  async calls(): Promise<number> {
    const answer = once(this.child, 'message');
    this.child.send('calls');
    return ((await answer) as [{ calls: number }])[0].calls;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGKILL');
    await ended;
  }
}

export function clientOf(address: string, timeoutMs = 5_000) {
  return rpcClient(OneRpc, { address, caller: 'orders', serviceToken: 'a-service-token-for-tests', timeoutMs });
}

/** What happened to one call. */
export interface Done {
  readonly at: number;
  readonly tookMs: number;
  readonly error?: unknown;
}

/** Makes calls, so many at a time, until it is stopped. */
export function load(call: () => Promise<unknown>, atOnce = 8): { readonly done: Done[]; stop(): Promise<Done[]> } {
  const done: Done[] = [];
  let stopped = false;
  const one = async () => {
    while (!stopped) {
      const began = performance.now();
      const error = await call().then(
        () => undefined,
        (failure: unknown) => failure,
      );
      const at = performance.now();
      done.push({ at, tookMs: at - began, ...(error !== undefined && { error }) });
      // A call that fails at once would leave no time for anything else.
      if (error !== undefined) await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  const all = Promise.all(Array.from({ length: atOnce }, one));
  return {
    done,
    stop: async () => {
      stopped = true;
      await all;
      return done;
    },
  };
}
