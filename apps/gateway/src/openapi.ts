/** The OpenAPI document, made of the routes' decorators and the zod schemas that requests are held to. */
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject, type StandardSchemaConverter } from '@nestjs/swagger';
import { z } from 'zod';
import { PROBLEM_REF } from './http/api-docs.js';
import { problemSchema } from './http/fields.schemas.js';

const DESCRIPTION =
  'The REST API of a Souk shop. Amounts of money are whole numbers of minor units. Errors are problem documents ' +
  '(RFC 9457): tell them apart by `reason`. Lists come in pages: give `nextCursor` as `cursor` for the next one.';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

// What any route may answer with, whoever calls it.
const FAILURES: Readonly<Record<string, string>> = {
  400: 'Bad Request: `INVALID_ARGUMENT` with one entry in `errors` for each wrong field, `JSON_MALFORMED`.',
  429: 'Too Many Requests: `RATE_LIMITED`; see the `RateLimit` and `Retry-After` headers.',
  500: 'Internal Server Error: `INTERNAL`.',
  503: 'Service Unavailable: `SERVICE_UNAVAILABLE`; see the `Retry-After` header.',
};

export function openApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const about = new DocumentBuilder()
    .setOpenAPIVersion('3.1.0')
    .setTitle('Souk')
    .setDescription(DESCRIPTION)
    .setVersion('1')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: "An access token, or the token of a guest's order." })
    .addBasicAuth(
      { type: 'http', scheme: 'basic', description: 'Identifier and secret of a machine client.' },
      'clientCredentials',
    )
    .build();
  const document = SwaggerModule.createDocument(app, about, {
    standardSchemaConverter: convert,
    operationIdFactory: (controller, method) => `${controller.replace('Controller', '').toLowerCase()}_${method}`,
  });
  const schemas = sorted({ ...document.components?.schemas, ...problem() });
  document.components = { ...document.components, headers: HEADERS, schemas };
  Object.entries(document.paths)
    .filter(([path]) => path.startsWith('/v1/'))
    .forEach(([, item]) => METHODS.forEach((method) => addFailures(item[method])));
  return document;
}

/** Schemas that have an id become components of that name, in place of copies wherever they are used. */
const convert: StandardSchemaConverter = (schema, { schemaType }) => {
  if (!(schema instanceof z.ZodType)) return undefined;
  const {
    $defs = {},
    $schema: _,
    ...json
  } = z.toJSONSchema(schema, {
    io: schemaType,
    override: ({ jsonSchema }) => simplify(jsonSchema, schemaType),
  });
  const components = Object.fromEntries(Object.entries($defs).map(([name, part]) => [name, withoutId(part)]));
  if (typeof json.id !== 'string') return { schema: json, components };
  return {
    schema: { $ref: `#/components/schemas/${json.id}` },
    components: { ...components, [json.id]: withoutId(json) },
  };
};

/** Leaves out what says nothing new, and what would forbid answers to grow. */
function simplify(json: z.core.JSONSchema.BaseSchema, schemaType: 'input' | 'output'): void {
  if (json.format !== undefined) delete json.pattern;
  if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum;
  if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
  if (schemaType === 'output' && json.additionalProperties === false) delete json.additionalProperties;
}

function withoutId({ id: _, ...json }: { id?: unknown }): object {
  return json;
}

function problem() {
  const { $schema: _, ...json } = z.toJSONSchema(problemSchema, {
    override: ({ jsonSchema }) => simplify(jsonSchema, 'output'),
  });
  return { Problem: withoutId(json) };
}

const header = (description: string) => ({ description, schema: { type: 'string' } });

// What every answer says of how its client stands.
const HEADERS = {
  'RateLimit-Policy': header(
    'The limits of this client, such as `"address";q=200000;w=60`: requests in that many seconds.',
  ),
  RateLimit: header('How many requests are left of each, and for how many seconds: `"address";r=199999;t=30`.'),
  'Retry-After': header('Seconds to wait before the next request.'),
};
const { 'Retry-After': REFUSED, ...STANDING } = Object.fromEntries(
  Object.keys(HEADERS).map((name) => [name, { $ref: `#/components/headers/${name}` }]),
);

/** Whoever sends too much is told by headers, before it is too late and after. */
function addStanding(responses: Record<string, object | undefined>): void {
  for (const [status, response] of Object.entries(responses)) {
    if (!response || !(status.startsWith('2') || status === '429')) continue;
    const own = 'headers' in response ? (response.headers as object) : {};
    Object.assign(response, { headers: { ...STANDING, ...(status === '429' && { 'Retry-After': REFUSED }), ...own } });
  }
}

function addFailures(operation: { responses: Record<string, object | undefined> } | undefined): void {
  if (!operation) return;
  for (const [status, description] of Object.entries(FAILURES)) {
    operation.responses[status] ??= {
      description,
      content: { 'application/problem+json': { schema: { $ref: PROBLEM_REF } } },
    };
  }
  addStanding(operation.responses);
}

function sorted<T>(parts: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(parts).sort(([a], [b]) => (a < b ? -1 : 1)));
}
