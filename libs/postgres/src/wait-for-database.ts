// Starting before the database does is normal: a service waits for it and says so, instead of failing and being restarted.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from './database.js';
import { isDatabaseUnavailable } from './database-errors.js';
import { sql } from './statement.js';

interface Log {
  info(text: string): void;
  warn(details: object, text: string): void;
}

const PING = sql('postgres.ping', 'SELECT 1 AS one');

/** Returns when the database answers. Errors other than its absence (a wrong password, for example) are thrown. */
export async function waitForDatabase(database: Database, logger: Log, { retryMs = 500 } = {}): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await database.query(PING);
      if (attempt > 1) {
        logger.info('the database answers');
      }
      return;
    } catch (error) {
      if (!isDatabaseUnavailable(error)) {
        throw error;
      }
      if (attempt === 1) {
        logger.warn({ err: error }, 'waiting for the database');
      }
      await sleep(retryMs);
    }
  }
}
