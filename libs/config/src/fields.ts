// Fields that more than one service reads, so that all of them take the same notation.
import { z } from 'zod';

/** A TCP port. */
export function port() {
  return z.coerce.number({ error: 'it must be a port number' }).int('it must be a whole number').min(0).max(65535);
}

/** A whole number, not below 0. */
export function wholeNumber() {
  return z.coerce.number({ error: 'it must be a number' }).int('it must be a whole number').min(0);
}

/** Where a service is found: `host:port`, several with commas after `static:`, `dns:///name:port` or `registry:///service`. */
export function address() {
  return z
    .string()
    .regex(
      /^((dns:\/\/\/)?[^\s/]+:\d{1,5}|registry:\/\/\/[a-z][a-z0-9-]*)$/,
      'it must be host:port or registry:///service',
    );
}

/** `true` or `false` (also 1 and 0). */
export function flag() {
  return z.enum(['true', 'false', '1', '0']).transform((value) => value === 'true' || value === '1');
}

/** A secret of at least that many characters. */
export function secret(minLength = 16) {
  const schema = z.string().min(minLength, `it must have at least ${minLength} characters`);
  secrets.add(schema);
  return schema;
}

const secrets = new WeakSet<z.ZodType>();

/** True for what `secret` made, also where it is optional or has a default. */
export function isSecret(schema: z.ZodType): boolean {
  if (secrets.has(schema)) return true;
  const isWrapped = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault;
  return isWrapped && isSecret(schema.unwrap() as z.ZodType);
}
