/** What can be made to go wrong. */
export const FAULT_KINDS = [
  'decline',
  'delay',
  'timeout_after_charge',
  'timeout_before_charge',
  'error_500',
  'rate_limit',
  'duplicate_webhook',
  'late_webhook',
  'lost_webhook',
  'pending_refund',
] as const;
export type FaultKind = (typeof FAULT_KINDS)[number];

/** Calls that a fault can be limited to. */
export const OPERATIONS = ['create', 'confirm', 'capture', 'cancel', 'refund'] as const;
export type Operation = (typeof OPERATIONS)[number];

export interface Fault {
  kind: FaultKind;
  /** How many calls it still hits; without it, `rate` decides. */
  next?: number;
  /** Share of calls it hits, 0 to 1. */
  rate?: number;
  /** For `delay` and `late_webhook`. */
  delayMs?: number;
  /** Only calls of this kind; all writes without it. */
  operation?: Operation;
  /** For `error_500`: answer the same 500 to the idempotency key ever after, as Stripe does. */
  stored?: boolean;
}

/** The faults that are switched on. Lives in memory: a restart switches all of them off. */
export class Faults {
  private active: Fault[] = [];

  add(fault: Fault): void {
    this.active.push(fault);
  }

  clear(): void {
    this.active = [];
  }

  list(): readonly Fault[] {
    return this.active;
  }

  /** The faults that hit this call; each takes one off its `next`. */
  take(operation: Operation): Fault[] {
    const hit = this.active.filter((fault) => applies(fault, operation));
    for (const fault of hit) if (fault.next !== undefined) fault.next -= 1;
    this.active = this.active.filter((fault) => fault.next === undefined || fault.next > 0);
    return hit;
  }
}

function applies(fault: Fault, operation: Operation): boolean {
  if (fault.operation && fault.operation !== operation) return false;
  return fault.next !== undefined ? fault.next > 0 : Math.random() < (fault.rate ?? 1);
}

/** @throws TypeError in a sentence for a fault that can't be switched on */
export function parseFault(body: unknown): Fault {
  if (typeof body !== 'object' || body === null) throw new TypeError('Send a JSON object.');
  const { kind, next, rate, delayMs, operation, stored } = body as Record<string, unknown>;
  if (!FAULT_KINDS.includes(kind as FaultKind)) throw new TypeError(`kind is one of ${FAULT_KINDS.join(', ')}.`);
  if (operation !== undefined && !OPERATIONS.includes(operation as Operation)) {
    throw new TypeError(`operation is one of ${OPERATIONS.join(', ')}.`);
  }
  return {
    kind: kind as FaultKind,
    next: number('next', next),
    rate: number('rate', rate),
    delayMs: number('delayMs', delayMs),
    operation: operation as Operation | undefined,
    stored: stored === true,
  };
}

function number(name: string, value: unknown): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'number' || !(value >= 0)) throw new TypeError(`${name} is a number that is not negative.`);
  return value;
}
