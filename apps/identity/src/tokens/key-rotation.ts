// Rotates signing keys on a schedule and retires old ones. Guarantees: any number of replicas may do it at once and one
// key comes of it; what is due while all of them are down is done when one is back.
import type { Logger } from '@souk/telemetry';
import { WorkerLoop } from '@souk/worker';
import { ACCESS_TOKEN_SECONDS } from './access-tokens.js';
import { KEY_LEAD_SECONDS, type SigningKeys } from './signing-keys.js';
import type { SigningKeysStore } from './signing-keys.store.js';

const LOOKS_EVERY_MS = 60_000;
const DAY_SECONDS = 24 * 3_600;
/** Until the last token has expired, for clocks that are late too. */
const RETIRE_AFTER_SECONDS = ACCESS_TOKEN_SECONDS + 5 * 60;

export class KeyRotation {
  private readonly loop: WorkerLoop;

  constructor(
    private readonly keys: SigningKeys,
    private readonly store: SigningKeysStore,
    private readonly logger: Logger,
    /** For how long a key signs. */
    private readonly days: number,
  ) {
    const round = async () => {
      await this.execute();
      return 'done' as const;
    };
    this.loop = new WorkerLoop({ name: 'the rotation of signing keys', round, pollMs: LOOKS_EVERY_MS, logger });
  }

  onApplicationBootstrap(): void {
    this.loop.start();
  }

  onModuleDestroy(): Promise<void> {
    return this.loop.stop();
  }

  async execute(): Promise<void> {
    const next = await this.keys.rotate(this.days * DAY_SECONDS - KEY_LEAD_SECONDS);
    if (next) this.logger.info('made the next signing key');
    const retired = await this.store.retire(RETIRE_AFTER_SECONDS);
    if (retired.length > 0) this.logger.info({ keyIds: retired }, 'retired signing keys');
  }
}
