// Passwords at rest: argon2id with OWASP's parameters (19 MiB, two passes, one lane). Guarantees: hashing never blocks the
// event loop; no more than a few run at once, so that a burst of log-ins costs a bounded amount of memory and leaves
// threads for other work; and checking the password of somebody who does not exist takes as long as any other check.
import { hash, verify } from '@node-rs/argon2';
import { DomainError } from '@souk/errors';
import { metrics } from '@souk/telemetry';

const ARGON2ID = 2;
const PARAMETERS = { algorithm: ARGON2ID, memoryCost: 19_456, timeCost: 2, parallelism: 1 };
const AT_ONCE = 2;
const WAITING_AT_MOST = 200;

const computed = metrics.counter('password_hashes_total');

export class PasswordHasher {
  private readonly waiting: (() => void)[] = [];
  private running = 0;
  private decoy: Promise<string> | undefined;

  /** @throws DomainError OVERLOADED when too many wait */
  hash(password: string): Promise<string> {
    return this.inTurn(() => hash(normal(password), PARAMETERS));
  }

  /**
   * Compares a password with a stored hash; `undefined` stands for nobody's and never matches.
   * @throws DomainError OVERLOADED when too many wait
   */
  async matches(password: string, storedHash: string | undefined): Promise<boolean> {
    const compared = storedHash ?? (await this.nobodysHash());
    const equal = await this.inTurn(() => verify(compared, normal(password)));
    return equal && storedHash !== undefined;
  }

  /** Nest calls it: makes the hash that nobody's password is compared with, so that no check takes longer for it. */
  async onModuleInit(): Promise<void> {
    await this.nobodysHash();
  }

  private nobodysHash(): Promise<string> {
    this.decoy ??= hash('nobody', PARAMETERS);
    return this.decoy;
  }

  private async inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.running >= AT_ONCE) await this.turn();
    else this.running += 1;
    computed.inc();
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.running -= 1;
    }
  }

  private turn(): Promise<void> {
    if (this.waiting.length >= WAITING_AT_MOST) return Promise.reject(overloaded());
    return new Promise((resolve) => this.waiting.push(resolve));
  }
}

/** The same characters typed on another keyboard are the same password. */
function normal(password: string): string {
  return password.normalize('NFKC');
}

function overloaded(): DomainError {
  return new DomainError({
    kind: 'exhausted',
    reason: 'OVERLOADED',
    message: 'Too many people are logging in at the moment. Try again shortly.',
  });
}
