// One error type for everything that a caller may be told. Guarantees: `kind` decides the wire status, `reason` is the
// stable name that callers match on, and both survive the way over gRPC and REST. Does not guarantee that `message`
// stays the same, nor that the class does: a copy that came over the wire, or through another copy of this package, is
// recognised by its shape.

/** What sort of trouble it is; decides the gRPC and the HTTP status. */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'refused'
  | 'mismatch'
  | 'exhausted'
  | 'unavailable';

/** One field of the input that is wrong, and why. */
export interface FieldViolation {
  /** Path of the field as in the contract, for example `lines[0].quantity`. */
  field: string;
  /** One sentence for the caller. */
  description: string;
}

/** What a DomainError is made of. */
export interface DomainErrorInit {
  kind: ErrorKind;
  /** Stable name in UPPER_SNAKE, for example `STOCK_SHORT`. */
  reason: string;
  /** One sentence for a person; never the basis of a decision. */
  message: string;
  /** Facts for the caller's program; never secrets. */
  metadata?: Record<string, string>;
  violations?: FieldViolation[];
  cause?: unknown;
}

/** An error that its caller may see. Anything else that is thrown is shown as a bare server error. */
export class DomainError extends Error {
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly metadata: Record<string, string>;
  readonly violations: FieldViolation[];

  constructor(init: DomainErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'DomainError';
    this.kind = init.kind;
    this.reason = init.reason;
    this.metadata = init.metadata ?? {};
    this.violations = init.violations ?? [];
  }
}

/** The error for bad input: names every wrong field at once. */
export function invalid(violations: FieldViolation[]): DomainError {
  const message = violations.map(({ field, description }) => `${field}: ${description}`).join('; ');
  return new DomainError({ kind: 'invalid', reason: 'INVALID_ARGUMENT', message, violations });
}

/** True for a DomainError, told by its shape and not by its class. */
export function isDomainError(error: unknown): error is DomainError {
  return error instanceof Error && error.name === 'DomainError' && 'reason' in error && 'kind' in error;
}

/** True for a DomainError of one of the given reasons. */
export function hasReason(error: unknown, ...reasons: string[]): error is DomainError {
  return isDomainError(error) && reasons.includes(error.reason);
}
