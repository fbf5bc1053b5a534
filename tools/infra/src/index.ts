/** The local infrastructure: Postgres and NATS as processes of this machine, without Docker. */
export { ensureDatabases, serviceDatabaseUrl, type ServiceDatabase } from './databases.ts';
export { findNatsServer, type NatsSearch } from './nats-binary.ts';
export { startNats, stopLeftNats, type NatsOptions, type RunningNats } from './nats.ts';
export { freePort, isPortFree } from './ports.ts';
export { startPostgres, stopLeftPostgres, type PostgresOptions, type RunningPostgres } from './postgres.ts';
export { commandLine, endProcess, isRunning, processStart, signal } from './processes.ts';
export { findPromtool } from './promtool.ts';
export { StartupError } from './startup-error.ts';
export { startTestServers, type TestServers } from './test-servers.ts';
