/**
 * Refuses calls that a server has no time for, before it has none for those that it took: where a thousand are under way, or
 * where the event loop has been late twice in a row. A refused call was not begun, so that its client may go elsewhere.
 */
import { DomainError } from '@souk/errors';
import { metrics } from '@souk/telemetry';
import { OVERLOADED } from './balancing/outcome.js';

const MOST_CALLS = 1_000;
const LOOK_EVERY_MS = 100;
const LATE_MS = 250;
/** A server with so little to do is late for another reason, which refusing would not mend. */
const FEW_CALLS = 16;

const shed = metrics.counter('rpc_server_shed_total');

export class LoadGuard {
  private calls = 0;
  private lateLooks = 0;
  private lookedAt: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly now: () => number = () => performance.now()) {
    this.lookedAt = now();
  }

  /** Begins to watch the event loop. */
  start(): void {
    this.lookedAt = this.now();
    this.timer = setInterval(() => this.look(), LOOK_EVERY_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** A call begins. @throws DomainError OVERLOADED where it must not; otherwise `leave` is to be called */
  enter(): void {
    if (this.calls >= MOST_CALLS) throw refusal('calls');
    if (this.lateLooks >= 2 && this.calls >= FEW_CALLS) throw refusal('late');
    this.calls++;
  }

  leave(): void {
    this.calls--;
  }

  /** Notes how late it is. */
  look(): void {
    const lateMs = this.now() - this.lookedAt - LOOK_EVERY_MS;
    this.lookedAt = this.now();
    this.lateLooks = lateMs > LATE_MS ? this.lateLooks + 1 : 0;
  }
}

function refusal(cause: 'calls' | 'late'): DomainError {
  shed.inc({ cause });
  return new DomainError({
    kind: 'unavailable',
    reason: OVERLOADED,
    message: 'There is too much to do at present. Try again in a moment.',
    metadata: { retry_after: '1' },
  });
}
