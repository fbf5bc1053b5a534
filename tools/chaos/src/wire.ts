/**
 * One link between two processes, as a TCP proxy that can be made to go wrong. Guarantees: bytes of one connection keep
 * their order; while a link is silent nothing crosses it in the silent direction, the end of a connection included, and
 * what was sent meanwhile arrives late, unless the silence ends with a break.
 */
import { connect, createServer, type Server, type Socket } from 'node:net';

/** What may be wrong with a link. */
export type Disturbance =
  /** Connections break, and new ones are refused. */
  | { readonly kind: 'cut' }
  /** Every byte arrives later. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** Few bytes pass in a second. */
  | { readonly kind: 'narrow'; readonly bytesPerSecond: number }
  /** Nothing passes, and nobody is told: neither way, or only there or back. */
  | { readonly kind: 'silent'; readonly direction: Direction | 'both' };

export type Direction = 'there' | 'back';

const HOLDS_BACK_BYTES = 256 * 1024;
const END = Symbol('end');

export class Wire {
  readonly #port: number;
  readonly #target: number;
  readonly #connections = new Set<Connection>();
  #server: Server | undefined;
  #disturbance: Disturbance | undefined;
  #sent = 0;

  constructor(port: number, target: number) {
    this.#port = port;
    this.#target = target;
  }

  /** Bytes that callers have sent so far, whether or not they have arrived. */
  get sent(): number {
    return this.#sent;
  }

  async open(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#accept(near));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port: this.#port, host: '127.0.0.1' }, resolve);
    });
  }

  close(): void {
    this.#server?.close();
    this.#server = undefined;
    for (const connection of [...this.#connections]) connection.break();
  }

  /**
   * Makes this the state of the link; undefined is a good one.
   * @param breaking whether connections that lived through a silence end with it, as when both sides had given up
   */
  async become(disturbance: Disturbance | undefined, breaking = false): Promise<void> {
    const before = this.#disturbance;
    this.#disturbance = disturbance;
    if (disturbance?.kind === 'cut') return this.close();
    if (before?.kind === 'cut') await this.open();
    for (const connection of [...this.#connections]) {
      if (breaking) connection.break();
      else connection.disturbed();
    }
  }

  #accept(near: Socket): void {
    const connection = new Connection(near, this.#target, () => this.#disturbance);
    near.on('data', (chunk: Buffer) => (this.#sent += chunk.length));
    this.#connections.add(connection);
    connection.onGone = () => this.#connections.delete(connection);
    connection.disturbed();
  }
}

class Connection {
  onGone: () => void = () => undefined;
  readonly #near: Socket;
  readonly #target: number;
  readonly #disturbance: () => Disturbance | undefined;
  #far: Socket | undefined;
  #flows: readonly Flow[] = [];

  constructor(near: Socket, target: number, disturbance: () => Disturbance | undefined) {
    this.#near = near;
    this.#target = target;
    this.#disturbance = disturbance;
    near.pause();
    near.on('error', ignore).on('close', () => this.#closed('there'));
  }

  /** To be called whenever the state of the link has changed. */
  disturbed(): void {
    if (!this.#far && !this.#isSilent('there')) this.#reachOut();
    if (this.#near.destroyed && !this.#isSilent('there')) return this.break();
    if (this.#far?.destroyed && !this.#isSilent('back')) return this.break();
    for (const flow of this.#flows) flow.pump();
  }

  break(): void {
    for (const socket of [this.#near, this.#far]) if (socket && !socket.destroyed) socket.resetAndDestroy();
    for (const flow of this.#flows) flow.end();
    this.onGone();
  }

  #reachOut(): void {
    if (this.#near.destroyed) return this.break();
    const far = connect({ port: this.#target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    far.on('error', ignore).on('close', () => this.#closed('back'));
    this.#far = far;
    this.#flows = [
      new Flow(this.#near, far, 'there', this.#disturbance),
      new Flow(far, this.#near, 'back', this.#disturbance),
    ];
  }

  /** The end of one side travels to the other like everything else. */
  #closed(direction: Direction): void {
    if (!this.#isSilent(direction)) this.break();
  }

  #isSilent(direction: Direction): boolean {
    return isSilent(this.#disturbance(), direction);
  }
}

class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #direction: Direction;
  readonly #disturbance: () => Disturbance | undefined;
  readonly #waiting: { readonly what: Buffer | typeof END; readonly due: number }[] = [];
  #bytes = 0;
  #lastDue = 0;
  #blocked = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket, direction: Direction, disturbance: () => Disturbance | undefined) {
    this.#from = from;
    this.#to = to;
    this.#direction = direction;
    this.#disturbance = disturbance;
    from.on('data', (chunk: Buffer) => this.#take(chunk)).on('end', () => this.#take(END));
    to.on('drain', () => this.#unblock());
  }

  end(): void {
    clearTimeout(this.#timer);
  }

  /** Passes on what is due. */
  pump(): void {
    clearTimeout(this.#timer);
    while (!this.#blocked && !isSilent(this.#disturbance(), this.#direction)) {
      const [next] = this.#waiting;
      if (!next) break;
      const wait = next.due - Date.now();
      if (wait > 0) {
        this.#timer = setTimeout(() => this.pump(), wait);
        return;
      }
      this.#waiting.shift();
      this.#pass(next.what);
    }
    if (this.#bytes < HOLDS_BACK_BYTES) this.#from.resume();
  }

  #take(what: Buffer | typeof END): void {
    const length = what === END ? 0 : what.length;
    this.#bytes += length;
    this.#lastDue = this.#dueOf(length);
    this.#waiting.push({ what, due: this.#lastDue });
    if (this.#bytes >= HOLDS_BACK_BYTES) this.#from.pause();
    this.pump();
  }

  #dueOf(length: number): number {
    const disturbance = this.#disturbance();
    const now = Date.now();
    if (disturbance?.kind === 'slow') return Math.max(this.#lastDue, now + disturbance.delayMs);
    const since = Math.max(this.#lastDue, now);
    return disturbance?.kind === 'narrow' ? since + (length / disturbance.bytesPerSecond) * 1_000 : since;
  }

  #pass(what: Buffer | typeof END): void {
    if (this.#to.destroyed) return;
    if (what === END) {
      this.#to.end();
      return;
    }
    this.#bytes -= what.length;
    this.#blocked = !this.#to.write(what);
  }

  #unblock(): void {
    this.#blocked = false;
    this.pump();
  }
}

function isSilent(disturbance: Disturbance | undefined, direction: Direction): boolean {
  return disturbance?.kind === 'silent' && (disturbance.direction === 'both' || disturbance.direction === direction);
}

function ignore(): void {
  // Followed by "close", which is what counts here.
}
