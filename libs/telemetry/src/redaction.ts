// What the log must not say. Guarantees: secrets of a shape that is known (tokens of sessions and orders in addresses, cards and
// keys of the provider, passwords in URLs) and mail addresses are replaced wherever they stand in a line, and of an error only
// such fields are written as hold no rows and no parameters. A secret without a shape, such as a password, is kept out by the
// name of its field alone.
import { stdSerializers } from 'pino';

const CENSOR = '[redacted]';

const SHAPES: readonly (readonly [pattern: RegExp, put: string])[] = [
  // A JSON web token.
  [/\beyJ[\w-]{4,}\.[\w-]+\.[\w-]*/g, CENSOR],
  // What stands behind "Bearer" or "Basic" in a header.
  [/\b(Bearer|Basic) [\w.~+/=-]{8,}/gi, `$1 ${CENSOR}`],
  // The password of an address such as nats://souk:password@host.
  [/(:\/\/[^\s/@:"]{0,64}):[^\s/@"]{1,256}@/g, `$1:${CENSOR}@`],
  [/\b((?:access|refresh|order|user)?_?token|client_secret|password)=[^\s&"'\\]+/gi, `$1=${CENSOR}`],
  // The provider's names of cards, and its keys.
  [/\b(?:pm|tok|src|sk|rk|whsec)_\w{4,}/g, CENSOR],
  [/[\w.+%-]{1,64}@(?:[a-z\d-]{1,63}\.){1,8}[a-z]{2,24}\b/gi, CENSOR],
];

/** A line of the log without the secrets that are known by their shape. */
export function withoutSecrets(line: string): string {
  return SHAPES.reduce((text, [pattern, put]) => text.replace(pattern, put), line);
}

/** A database's `detail` quotes the row, its `where` the parameters; an HTTP client's error carries the request. */
const KEPT = new Set([
  ...['type', 'message', 'stack', 'aggregateErrors', 'name', 'code', 'reason', 'kind', 'retryable'],
  ...['severity', 'schema', 'table', 'column', 'constraint', 'routine'],
  ...['syscall', 'errno', 'address', 'port', 'signal', 'exitCode', 'status', 'statusCode', 'responseCode'],
]);

/** An error as it is logged; what was thrown and is none, by the same fields. */
export function loggedError(error: unknown): unknown {
  return keep(stdSerializers.err(error as Error));
}

function keep(serialized: unknown): unknown {
  if (typeof serialized !== 'object' || serialized === null) return serialized;
  const fields: Record<string, unknown> = {};
  for (const name in serialized) {
    if (!KEPT.has(name)) continue;
    const value: unknown = Reflect.get(serialized, name);
    fields[name] = Array.isArray(value) ? value.map(keep) : value;
  }
  return fields;
}
