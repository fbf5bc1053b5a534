import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createLogger } from '@souk/telemetry';
import { gatewayConfig } from './config.js';
import { createGateway } from './gateway.js';
import { Routes } from './http/access.js';
import { openApiDocument } from './openapi.js';

const METHODS = ['get', 'put', 'post', 'patch', 'delete'] as const;
const COMMITTED = join(__dirname, '../../../docs/openapi.json');

let app: NestFastifyApplication;

beforeAll(async () => {
  app = await createGateway(
    gatewayConfig({ SOUK_SERVICE_TOKEN: 'a-service-token-for-tests' }),
    createLogger('gateway'),
  );
});
afterAll(() => app.close());

it('has a rule for every route that says who may use it', () => {
  const routes = app.get(Routes).all();
  expect(routes.length).toBeGreaterThan(30);
  expect(routes.filter(({ rules }) => rules === undefined)).toEqual([]);
});

it('documents the rule of every route: what docs/permissions.md is made of leaves none out', () => {
  const { paths } = openApiDocument(app);
  const documented = Object.values(paths).flatMap((item) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [(operation as { 'x-access'?: unknown })['x-access']] : [];
    }),
  );
  const declared = app.get(Routes).all();
  expect(documented.map(String).sort()).toEqual(declared.map(({ rules }) => String(rules)).sort());
});

it('documents every operation with a summary, an answer and its problems', () => {
  const { paths } = openApiDocument(app);
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      return operation ? [{ path, operation }] : [];
    }),
  );
  for (const { path, operation } of operations) {
    expect([path, operation.summary]).toEqual([path, expect.any(String)]);
    expect(Object.keys(operation.responses).some((status) => status.startsWith('2'))).toBe(true);
    if (path.startsWith('/v1/')) expect(operation.responses).toHaveProperty('500');
  }
});

it('refers to no schema that the document lacks', () => {
  const document = openApiDocument(app);
  const referred = JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g);
  const known = Object.keys(document.components?.schemas ?? {});
  expect([...new Set([...referred].map(([, name]) => name))].filter((name) => !known.includes(name ?? ''))).toEqual([]);
});

it('has the document that is committed; `nx openapi gateway` writes it anew', () => {
  expect(JSON.parse(readFileSync(COMMITTED, 'utf8'))).toEqual(JSON.parse(JSON.stringify(openApiDocument(app))));
});
