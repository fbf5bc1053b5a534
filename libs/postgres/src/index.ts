export { CommitThenThrow, Database } from './database.js';
export type { DatabaseOptions, Queryable, Transaction } from './database.js';
export { DATABASE_UNAVAILABLE, isDatabaseUnavailable, isLockTimeout, isUniqueViolation } from './database-errors.js';
export { migrate } from './migrate.js';
export type { MigrateOptions } from './migrate.js';
export { sql } from './statement.js';
export type { Statement } from './statement.js';
export { uuidv7, uuidv7Floor } from './uuidv7.js';
export { waitForDatabase } from './wait-for-database.js';
