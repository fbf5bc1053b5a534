import type { Logger } from './logger.js';

/** Sends what Nest itself has to say to the service's log: its chatter at debug, its complaints as they are. */
export function nestLogger(logger: Logger) {
  return {
    log: (message: unknown) => logger.debug(String(message)),
    debug: (message: unknown) => logger.debug(String(message)),
    verbose: (message: unknown) => logger.trace(String(message)),
    warn: (message: unknown) => logger.warn(String(message)),
    error: (message: unknown) => logger.error(message instanceof Error ? { err: message } : {}, String(message)),
    fatal: (message: unknown) => logger.fatal(String(message)),
  };
}
