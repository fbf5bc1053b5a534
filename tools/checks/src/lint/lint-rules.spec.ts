// Every rule of eslint.config.js that keeps a promise of the code is shown to fire.
import { join } from 'node:path';
import { ESLint } from 'eslint';
import tseslint from 'typescript-eslint';
import { ROOT } from '../projects.ts';

jest.setTimeout(120_000);

// Rules with types look only at files of the program, so their snippets stand in for a file that exists; one library's
// program is enough for that.
const EXISTING = 'libs/money/src/money.ts';
const withTypes = new ESLint({
  cwd: ROOT,
  overrideConfig: {
    files: ['**/*.ts'],
    languageOptions: {
      parserOptions: {
        project: ['libs/money/tsconfig.json'],
        tsconfigRootDir: ROOT,
        // Under CI the parser would look at the file on disk instead of the snippet.
        disallowAutomaticSingleRunInference: true,
      },
    },
  },
});
const withoutTypes = new ESLint({ cwd: ROOT, overrideConfig: tseslint.configs.disableTypeChecked });

async function rulesBroken(eslint: ESLint, file: string, code: string): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(ROOT, file) });
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
}

describe('in any file, eslint refuses', () => {
  it.each([
    ['any', '@typescript-eslint/no-explicit-any', 'export const answer: any = 42;'],
    ['a promise that nobody waits for', '@typescript-eslint/no-floating-promises', 'Promise.resolve();'],
    [
      'a promise as a condition',
      '@typescript-eslint/no-misused-promises',
      'if (Promise.resolve(false)) process.exitCode = 1;',
    ],
    [
      'a type that is imported like a value',
      '@typescript-eslint/consistent-type-imports',
      "import { DomainError } from '@souk/errors';\nexport let last: DomainError | undefined;",
    ],
    ['a variable that is not used', '@typescript-eslint/no-unused-vars', 'const unused = 1;'],
    ['console', 'no-console', "console.log('hello');"],
    ['an empty catch', 'no-empty', 'try {\n  process.chdir(".");\n} catch {}'],
    ['a file of more than 400 lines', 'max-lines', 'export {};\n'.repeat(401)],
  ])('%s', async (_what, rule, code) => {
    expect(await rulesBroken(withTypes, EXISTING, `${code}\n`)).toContain(rule);
  });
});

describe('between projects, eslint refuses', () => {
  it.each([
    ['an app that imports an app', 'apps/orders/src/main.ts', "'@souk/app-payments'"],
    ['a path into another app', 'apps/orders/src/main.ts', "'../../payments/src/payments.store.js'"],
    ['a path into an app from a tool', 'tools/bench/src/run.ts', "'../../../apps/orders/src/config.ts'"],
    ['the private files of a library', 'apps/orders/src/main.ts', "'@souk/money/src/money.js'"],
    ['a library in dist', 'apps/orders/src/main.ts', "'@souk/money/dist/index.js'"],
    ['a tool in an app', 'apps/orders/src/main.ts', "'@souk/infra'"],
    ['a project that does not exist', 'apps/orders/src/main.ts', "'@souk/common'"],
    ['test support in what is delivered', 'apps/orders/src/main.ts', "'@souk/testing'"],
    ['fakes of a library in what is delivered', 'apps/orders/src/main.ts', "'@souk/auth/testing'"],
    ['a platform library in the kernel', 'libs/money/src/money.ts', "'@souk/postgres'"],
    ['the contract in the kernel', 'libs/money/src/money.ts', "'@souk/proto/orders/v1'"],
    ['anything in the contract', 'libs/proto/src/descriptors.ts', "'@souk/errors'"],
    ['a tool in a platform library', 'libs/events/src/bus.ts', "'@souk/infra'"],
    ['a .ts import where dist is delivered', 'apps/orders/src/main.ts', "'./config.ts'"],
    ['a .js import where sources are run', 'tools/bench/src/run.ts', "'./config.js'"],
  ])('%s', async (_what, file, specifier) => {
    expect(await rulesBroken(withoutTypes, file, `import ${specifier};\n`)).toContain('souk/boundaries');
    expect(await rulesBroken(withoutTypes, file, `export * from ${specifier};\n`)).toContain('souk/boundaries');
    expect(await rulesBroken(withoutTypes, file, `await import(${specifier});\n`)).toContain('souk/boundaries');
  });
});

describe('between projects, eslint allows', () => {
  it.each([
    ['platform, kernel and contract in an app', 'apps/orders/src/main.ts', "'@souk/rpc'"],
    ['the contract in an app', 'apps/orders/src/main.ts', "'@souk/proto/orders/v1'"],
    ['test support in a spec', 'apps/orders/src/orders.store.it-spec.ts', "'@souk/testing'"],
    ['test support below test/', 'apps/orders/test/order-builder.ts', "'@souk/auth/testing'"],
    ['a tool in another', 'tools/runner/src/start.ts', "'@souk/infra'"],
    ['a tool in test support', 'libs/testing/src/postgres.ts', "'@souk/infra'"],
    ['a neighbouring file', 'apps/orders/src/main.ts', "'./config.js'"],
    ['a package', 'apps/orders/src/main.ts', "'zod'"],
  ])('%s', async (_what, file, specifier) => {
    expect(await rulesBroken(withoutTypes, file, `import ${specifier};\n`)).toEqual([]);
  });
});

describe('in domain/, eslint refuses', () => {
  it.each([
    ['a framework', 'no-restricted-imports', "import '@nestjs/common';"],
    ['the contract', 'no-restricted-imports', "import '@souk/proto/orders/v1';"],
    ['a platform library', 'no-restricted-imports', "import '@souk/postgres';"],
    ['a file outside of the folder', 'no-restricted-imports', "import '../orders.store.js';"],
    ['a module of Node', 'no-restricted-imports', "import 'node:crypto';"],
    ['a module of Node by its short name', 'no-restricted-imports', "import 'crypto';"],
    ['an import at run time', 'no-restricted-syntax', "await import('./order-state.js');"],
    ['Date.now', 'no-restricted-properties', 'export const now = Date.now();'],
    ['new Date()', 'no-restricted-syntax', 'export const now = new Date();'],
    ['Date()', 'no-restricted-syntax', 'export const now = Date();'],
    ['Math.random', 'no-restricted-properties', 'export const chance = Math.random();'],
    ['crypto', 'no-restricted-globals', 'export const id = crypto.randomUUID();'],
    ['process', 'no-restricted-globals', 'export const home = process.env.HOME;'],
    ['setTimeout', 'no-restricted-globals', 'setTimeout(() => undefined, 1);'],
  ])('%s', async (_what, rule, code) => {
    expect(await rulesBroken(withoutTypes, 'apps/orders/src/domain/order.ts', `${code}\n`)).toContain(rule);
  });

  it('allows its own folder, money, errors and a given time', async () => {
    const code = [
      "import '@souk/errors';",
      "import '@souk/money';",
      "import './order-state.js';",
      'export const date = (seconds: number) => new Date(seconds * 1000);',
    ];
    expect(await rulesBroken(withoutTypes, 'apps/orders/src/domain/order.ts', `${code.join('\n')}\n`)).toEqual([]);
  });
});

it('leaves generated and built files alone', async () => {
  await expect(withTypes.isPathIgnored(join(ROOT, 'libs/proto/src/gen/index.ts'))).resolves.toBe(true);
  await expect(withTypes.isPathIgnored(join(ROOT, 'libs/money/dist/index.js'))).resolves.toBe(true);
});
