import type { LoggerService } from '@nestjs/common';
import type { Logger } from '@souk/telemetry';

/** Sends what Nest itself has to say to the service's log: its chatter at debug, its complaints as they are. */
export function nestLogger(logger: Logger): LoggerService {
  return {
    log: (message) => logger.debug(String(message)),
    debug: (message) => logger.debug(String(message)),
    verbose: (message) => logger.trace(String(message)),
    warn: (message) => logger.warn(String(message)),
    error: (message) => logger.error(message instanceof Error ? { err: message } : {}, String(message)),
    fatal: (message) => logger.fatal(String(message)),
  };
}
