/**
 * Problem documents (RFC 9457), and how errors become one. Errors are told apart by `kind` and `reason` alone. What is
 * neither a DomainError nor a refusal by the framework is a bug: it becomes a bare 500 that says nothing about itself.
 */
import { HttpException } from '@nestjs/common';
import { DomainError, isDomainError, type DomainErrorInit, type ErrorKind } from '@souk/errors';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly reason: string;
  readonly requestId: string;
  /** Seconds to wait before the same is tried again, where that is known. */
  readonly retryAfter?: number;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
  readonly [extension: string]: unknown;
}

/** An error whose problem document carries more than texts. */
export class ProblemError extends DomainError {
  constructor(
    init: DomainErrorInit,
    readonly extensions: Readonly<Record<string, unknown>>,
  ) {
    super(init);
  }
}

const STATUS_OF_KIND: Readonly<Record<ErrorKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  refused: 409,
  mismatch: 412,
  exhausted: 429,
  unavailable: 503,
};

// Where HTTP has a better word than the kind.
const STATUS_OF_REASON: Readonly<Record<string, number>> = {
  BODY_TOO_LARGE: 413,
  BODY_TOO_SLOW: 408,
  DEADLINE_EXCEEDED: 504,
  IMPORT_TOO_LARGE: 413,
  PAYMENT_ATTEMPTS_EXCEEDED: 429,
  PAYMENT_DECLINED: 402,
  REQUEST_ID_REUSED: 422,
  REQUEST_IN_PROGRESS: 409,
  UNSUPPORTED_MEDIA_TYPE: 415,
  VERSION_MISMATCH: 412,
  WRONG_CREDENTIALS: 401,
};

const REASON_OF_STATUS: Readonly<Record<number, readonly [reason: string, detail: string]>> = {
  400: ['REQUEST_MALFORMED', 'The request is not well formed.'],
  404: ['ROUTE_NOT_FOUND', 'There is nothing at this address.'],
  408: ['REQUEST_TOO_SLOW', 'The request did not arrive in time.'],
  413: ['BODY_TOO_LARGE', 'The body is larger than this route takes.'],
  414: ['ADDRESS_TOO_LONG', 'The address is longer than any this API has.'],
  415: ['UNSUPPORTED_MEDIA_TYPE', 'Send the body as the content type that this route takes.'],
  431: ['HEADERS_TOO_LARGE', 'The headers are larger than this API takes.'],
};

/** @param requestId the request that failed, by which its log lines are found */
export function problemOf(error: unknown, requestId: string): Problem {
  if (isDomainError(error)) return domainProblem(error, requestId);
  const status = statusOfFrameworkError(error);
  if (status !== undefined && status < 500) {
    const [reason, detail] = frameworkReason(error, status);
    return { ...head(reason, status), detail, reason, requestId };
  }
  const detail = 'Something went wrong on our side. Try again later; name the request id if it stays.';
  return { ...head('INTERNAL', 500), detail, reason: 'INTERNAL', requestId };
}

function domainProblem(error: DomainError, requestId: string): Problem {
  const { reason, violations } = error;
  const { retry_after: retryAfter, ...metadata } = error.metadata;
  const status = STATUS_OF_REASON[reason] ?? STATUS_OF_KIND[error.kind] ?? 500;
  const errors = violations.map(({ field, description }) => ({ field: restField(field), message: description }));
  const extensions = 'extensions' in error ? (error as ProblemError).extensions : {};
  return {
    ...metadata,
    ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }),
    ...extensions,
    ...head(reason, status),
    detail: error.message,
    reason,
    requestId,
    ...(errors.length > 0 ? { errors } : {}),
  };
}

/** The services name fields as their messages do. */
function restField(field: string): string {
  if (field === 'request_id') return 'Idempotency-Key';
  return field.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function head(reason: string, status: number): Pick<Problem, 'type' | 'title' | 'status'> {
  const words = reason.toLowerCase().replaceAll('_', ' ');
  const type = `https://souk.dev/problems/${words.replaceAll(' ', '-')}`;
  return { type, title: words.charAt(0).toUpperCase() + words.slice(1), status };
}

function statusOfFrameworkError(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' && status >= 400 ? status : undefined;
}

function frameworkReason(error: unknown, status: number): readonly [string, string] {
  const cause = error instanceof HttpException && error.cause ? error.cause : error;
  if (cause instanceof SyntaxError || codeOf(cause) === 'FST_ERR_CTP_INVALID_JSON_BODY') {
    return ['JSON_MALFORMED', 'The body is not well-formed JSON.'];
  }
  return REASON_OF_STATUS[status] ?? [`HTTP_${status}`, 'The request was refused.'];
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
