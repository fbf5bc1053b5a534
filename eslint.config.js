// Rules that the code is held to. Style is prettier's business; what is here finds mistakes and keeps the structure.
import js from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { boundaries } from './tools/checks/src/lint/boundaries.ts';
import { workspaceProjects } from './tools/checks/src/projects.ts';

const ROOT = import.meta.dirname;
const SPECS = ['**/*.spec.ts', '**/*-spec.ts', '**/test/**/*.ts', 'e2e/**/*.ts'];
const NODE_GLOBALS = Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, 'readonly']));
const souk = { rules: { boundaries: boundaries(ROOT, workspaceProjects(ROOT)) } };

export default defineConfig(
  globalIgnores(['**/dist', '**/coverage', '.nx', '**/.souk*', 'libs/proto/src/gen']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    rules: {
      eqeqeq: 'error',
      'max-lines': ['error', { max: 400 }],
      'no-empty': ['error', { allowEmptyCatch: false }],
    },
  },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    // One program for the whole workspace: many times faster than one for each of its projects.
    languageOptions: { parserOptions: { project: ['./tsconfig.json'], tsconfigRootDir: ROOT } },
    plugins: { souk },
    rules: {
      'souk/boundaries': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', ignoreRestSiblings: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      // An async function without await is how a synchronous answer fits an asynchronous interface.
      '@typescript-eslint/require-await': 'off',
      // Generated codecs are plain functions in an object and are handed on as values.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  { files: ['apps/**/*.ts', 'libs/**/*.ts'], rules: { 'no-console': 'error' } },
  {
    // Jest's matchers are typed as any.
    files: SPECS,
    rules: {
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
    },
  },
  {
    // The rules of the shop: the same input gives the same answer. Time and identifiers come in as arguments.
    files: ['apps/*/src/domain/**/*.ts'],
    ignores: SPECS,
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\./|@souk/money$|@souk/errors$)',
              message: 'domain/ imports only its own folder, @souk/money and @souk/errors.',
            },
          ],
        },
      ],
      'no-restricted-globals': [
        'error',
        ...['process', 'crypto', 'performance', 'fetch', 'global', 'globalThis'],
        ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Date', property: 'now', message: 'Take the time as an argument.' },
        { object: 'Math', property: 'random', message: 'Take what is random as an argument.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: "NewExpression[callee.name='Date'][arguments.length=0], CallExpression[callee.name='Date']",
          message: 'Take the time as an argument.',
        },
        { selector: 'ImportExpression', message: 'domain/ imports nothing at run time.' },
      ],
    },
  },
  { files: ['**/*.js', '**/*.mjs'], languageOptions: { globals: NODE_GLOBALS } },
  {
    files: ['**/*.cjs'],
    languageOptions: { sourceType: 'commonjs', globals: { ...NODE_GLOBALS, __dirname: 'readonly' } },
  },
);
