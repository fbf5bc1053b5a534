// Whole journeys over REST against a whole Souk, started as people start it. One after the other: they share the machine.
const root = require('../jest.config.cjs');

module.exports = {
  ...root,
  rootDir: __dirname,
  testMatch: ['**/*.e2e-spec.ts'],
  globalSetup: undefined,
  globalTeardown: undefined,
  maxWorkers: 1,
  testTimeout: 240_000,
};
