// Arguments and options that several commands take.
import { Argument, InvalidArgumentError } from 'commander';
import { GRPC_SERVICES, type GrpcService } from '@souk/runner';

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/;

export function serviceArgument(name: '<service>' | '[service]', description: string): Argument {
  return new Argument(name, description).choices(GRPC_SERVICES);
}

/** A moment with its time zone, so that it means the same on every machine. */
export function moment(text: string): Date {
  const time = new Date(text);
  if (TIME.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new InvalidArgumentError('It looks like 2026-05-01T12:00:00Z.');
}

/** Collects the identifiers of an option that may be given several times. */
export function letterIds(text: string, before: readonly bigint[] = []): bigint[] {
  if (/^[1-9]\d{0,17}$/.test(text)) return [...before, BigInt(text)];
  throw new InvalidArgumentError('`dead-letters` lists the letters with their numbers.');
}

export function names(text: string, before: readonly string[] = []): string[] {
  return [...before, text];
}

/** A consumer of a service, whose name begins with that of the service. */
export function consumer(text: string): string {
  if (/^[\w-]+$/.test(text) && GRPC_SERVICES.some((service) => text.startsWith(`${service}-`))) return text;
  throw new InvalidArgumentError('It looks like inventory-OrderConfirmed.');
}

/** The service that a consumer belongs to. */
export function serviceOfConsumer(name: string): GrpcService {
  return name.split('-')[0] as GrpcService;
}
