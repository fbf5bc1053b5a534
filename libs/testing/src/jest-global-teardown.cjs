// Stops the servers that the set-up of this run has started.
module.exports = async function teardown() {
  await globalThis.soukTestServers?.stop();
};
