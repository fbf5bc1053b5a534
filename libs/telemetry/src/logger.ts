// The log: one JSON object per line on standard output. Guarantees: lines written during a call carry its request and
// trace id, and values under the names below are never written, up to three levels deep, nor what redaction.ts knows by its shape.
import { pino, type DestinationStream, type Logger, type LoggerOptions } from 'pino';
import { currentContext } from './call-context.js';
import { rememberLogger } from './log-levels.js';
import { loggedError, withoutSecrets } from './redaction.js';
import { traceIdOf } from './trace.js';

export type { Logger };

const SECRET_NAMES = [
  'authorization',
  'password',
  'passwordHash',
  'token',
  'accessToken',
  'refreshToken',
  'userToken',
  'serviceToken',
  'paymentToken',
  'clientSecret',
  'secret',
  'cookie',
  'link',
  'recipient',
  'email',
];

/** A logger for the service. Level from LOG_LEVEL (info); tests are silent unless LOG_LEVEL is set. */
export function createLogger(service: string, destination: DestinationStream = pino.destination(1)): Logger {
  const options: LoggerOptions = {
    level: process.env['LOG_LEVEL'] ?? (process.env['NODE_ENV'] === 'test' ? 'silent' : 'info'),
    base: { service },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_NAMES.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    serializers: { err: loggedError },
    hooks: { streamWrite: withoutSecrets },
    mixin: contextFields,
  };
  const logger = pino(options, destination);
  rememberLogger(service, logger);
  return logger;
}

function contextFields(): Record<string, unknown> {
  const context = currentContext();
  return context ? { requestId: context.requestId, traceId: traceIdOf(context.traceparent) } : {};
}
