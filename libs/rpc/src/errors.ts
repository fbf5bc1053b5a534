/**
 * Errors over the wire: the one place where a DomainError becomes a gRPC status with google.rpc details, and back. They
 * are matched by `reason`, never by class or message. What is not a DomainError crosses as a bare INTERNAL: its text
 * may hold what a caller must not see.
 */
import { Metadata, status, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { DomainError, isDomainError, type ErrorKind } from '@souk/errors';
import { BadRequest, ErrorInfo, Status } from '@souk/proto/google/rpc';
import { METADATA } from './metadata.js';

const CODE_OF_KIND: Readonly<Record<ErrorKind, status>> = {
  invalid: status.INVALID_ARGUMENT,
  unauthenticated: status.UNAUTHENTICATED,
  forbidden: status.PERMISSION_DENIED,
  not_found: status.NOT_FOUND,
  conflict: status.ALREADY_EXISTS,
  refused: status.FAILED_PRECONDITION,
  mismatch: status.ABORTED,
  exhausted: status.RESOURCE_EXHAUSTED,
  unavailable: status.UNAVAILABLE,
};
const KIND_OF_CODE = new Map<status, ErrorKind>(
  Object.entries(CODE_OF_KIND).map(([kind, code]) => [code, kind as ErrorKind]),
);
KIND_OF_CODE.set(status.DEADLINE_EXCEEDED, 'unavailable');
KIND_OF_CODE.set(status.CANCELLED, 'unavailable');

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/** @param service short name of the service that answers, which becomes the error's domain: `orders.souk` */
export function toStatus(error: unknown, service: string): StatusObject {
  if (!isDomainError(error)) {
    return { code: status.INTERNAL, details: 'Internal error.', metadata: new Metadata() };
  }
  const code = CODE_OF_KIND[error.kind];
  const metadata = new Metadata();
  metadata.set(METADATA.statusDetails, Buffer.from(Status.encode(withDetails(error, code, service)).finish()));
  return { code, details: error.message, metadata };
}

function withDetails(error: DomainError, code: status, service: string): Status {
  const info: ErrorInfo = { reason: error.reason, domain: `${service}.souk`, metadata: { ...error.metadata } };
  const details = [{ typeUrl: ERROR_INFO, value: Buffer.from(ErrorInfo.encode(info).finish()) }];
  if (error.violations.length > 0) {
    const badRequest: BadRequest = { fieldViolations: [...error.violations] };
    details.push({ typeUrl: BAD_REQUEST, value: Buffer.from(BadRequest.encode(badRequest).finish()) });
  }
  return { code, message: error.message, details };
}

/** What the service that answered says of its error; undefined where no service has answered. */
export function errorInfoOf(error: ServiceError): ErrorInfo | undefined {
  const info = detailsOf(error).find((detail) => detail.typeUrl === ERROR_INFO);
  return info && ErrorInfo.decode(info.value);
}

function detailsOf(error: ServiceError): Status['details'] {
  const [bytes] = error.metadata?.get(METADATA.statusDetails) ?? [];
  return Buffer.isBuffer(bytes) ? Status.decode(bytes).details : [];
}

/** What a call to another service fails with: a DomainError with that service's reason, or the bare error of a bug. */
export function fromServiceError(error: ServiceError, service: string): Error {
  const kind = KIND_OF_CODE.get(error.code);
  const info = kind && errorInfoOf(error);
  if (kind && info) return fromDetails(kind, error, info, detailsOf(error));
  if (kind === 'unavailable') {
    return new DomainError({
      kind,
      reason: error.code === status.DEADLINE_EXCEEDED ? 'DEADLINE_EXCEEDED' : 'SERVICE_UNAVAILABLE',
      message: `The ${service} service did not answer in time. Try again.`,
      metadata: { service },
      cause: error,
    });
  }
  return new Error(`${service} answered ${status[error.code]}: ${error.details}`, { cause: error });
}

function fromDetails(kind: ErrorKind, error: ServiceError, info: ErrorInfo, details: Status['details']): DomainError {
  const badRequest = details.find((detail) => detail.typeUrl === BAD_REQUEST);
  return new DomainError({
    kind,
    reason: info.reason,
    message: error.details,
    metadata: info.metadata,
    violations: badRequest ? BadRequest.decode(badRequest.value).fieldViolations : [],
    cause: error,
  });
}
