// One configuration for every project: `jest` at the root runs all tests, `nx test <project>` those below its folder.
// Integration tests share one Postgres and one NATS per run; the global set-up starts them.
const path = require('node:path');

module.exports = {
  testEnvironment: 'node',
  testMatch: ['**/*.spec.ts', '**/*.it-spec.ts', '**/*.component-spec.ts'],
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/', '/\\.souk/', '/\\.nx/'],
  testEnvironmentOptions: { customExportConditions: ['@souk/source', 'node', 'node-addons'] },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        swcrc: false,
        jsc: {
          target: 'es2023',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true, useDefineForClassFields: false },
        },
        module: { type: 'commonjs' },
      },
    ],
  },
  globalSetup: path.join(__dirname, 'libs/testing/src/jest-global-setup.cjs'),
  globalTeardown: path.join(__dirname, 'libs/testing/src/jest-global-teardown.cjs'),
  testTimeout: 30_000,
};
