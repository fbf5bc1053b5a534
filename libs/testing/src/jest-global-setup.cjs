// Starts one Postgres and one NATS for a run of Jest, and only where a test of the run needs them: pure specs pay
// nothing. Servers named by SOUK_TEST_POSTGRES_URL and SOUK_TEST_NATS_URL are used as they are.
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

const NEEDS_SERVERS = /\.(it|component)-spec\.ts$/;
const SKIPPED = new Set(['node_modules', 'dist', 'coverage']);

module.exports = async function setup(globalConfig, projectConfig) {
  if (process.env.SOUK_TEST_POSTGRES_URL && process.env.SOUK_TEST_NATS_URL) return;
  if (!globalConfig.watch && !globalConfig.watchAll && !asksForServers(globalConfig, projectConfig.rootDir)) return;
  const { startTestServers } = await import('@souk/infra');
  const servers = await startTestServers((line) => process.env.CI && process.stderr.write(`${line}\n`));
  globalThis.soukTestServers = servers;
  process.env.SOUK_TEST_POSTGRES_URL = servers.postgresUrl;
  process.env.SOUK_TEST_NATS_URL = servers.natsUrl;
};

function asksForServers(globalConfig, rootDir) {
  const patterns = globalConfig.testPathPatterns?.patterns ?? [];
  const wanted = patterns.map((pattern) => new RegExp(pattern, 'i'));
  const asked = (file) => wanted.length === 0 || wanted.some((pattern) => pattern.test(file));
  return someFile(rootDir, (file) => NEEDS_SERVERS.test(file) && asked(file));
}

function someFile(folder, matches) {
  return readdirSync(folder, { withFileTypes: true }).some((entry) => {
    if (entry.isDirectory()) {
      return !SKIPPED.has(entry.name) && !entry.name.startsWith('.') && someFile(join(folder, entry.name), matches);
    }
    return matches(join(folder, entry.name));
  });
}
