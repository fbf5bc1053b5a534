/** Requests made of the OpenAPI document that the gateway serves, so that a new route is tried without a line here. */
import { randomUUID } from 'node:crypto';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string;
  readonly example?: unknown;
  readonly default?: unknown;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly format?: string;
  readonly minimum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

interface Operation {
  readonly 'x-access': readonly string[];
  readonly parameters?: readonly { in: string; name: string; required?: boolean }[];
  readonly requestBody?: { required?: boolean; content: Readonly<Record<string, { schema?: Schema }>> };
}

export interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

export interface RestRoute {
  readonly method: string;
  readonly path: string;
  readonly rules: readonly string[];
  readonly queries: readonly string[];
  readonly contentType?: string;
  readonly schema?: Schema;
}

export function routesOf({ paths }: Document): RestRoute[] {
  return Object.entries(paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]) => {
      const [content] = Object.entries(operation.requestBody?.content ?? {});
      return {
        method: method.toUpperCase(),
        path,
        rules: operation['x-access'],
        queries: (operation.parameters ?? []).filter((one) => one.in === 'query').map(({ name }) => name),
        ...(content && { contentType: content[0], schema: content[1].schema ?? {} }),
      };
    }),
  );
}

/** A value that fits the schema: its example where it has one, and otherwise the least that is required. */
export function sample(
  schema: Schema,
  { components }: Document,
  leaf: (kind: string) => unknown = () => undefined,
): unknown {
  const walk = (part: Schema): unknown => {
    if (part.$ref) return walk(components.schemas[part.$ref.split('/').at(-1) ?? ''] ?? {});
    const chosen = part.anyOf?.[0] ?? part.oneOf?.[0] ?? part.allOf?.[0];
    if (chosen) return walk(chosen);
    if (part.properties) {
      return Object.fromEntries(Object.entries(part.properties).map(([name, property]) => [name, walk(property)]));
    }
    if (part.items) return [walk(part.items)];
    const given = leaf(part.type ?? 'string');
    if (given !== undefined) return given;
    return part.const ?? part.example ?? part.default ?? part.enum?.[0] ?? made(part);
  };
  return walk(schema);
}

function made({ type, format, minimum }: Schema): unknown {
  if (type === 'boolean') return false;
  if (type === 'integer' || type === 'number') return Math.max(minimum ?? 1, 1);
  return format === 'uuid' ? randomUUID() : 'text';
}

/** Puts values into the path's parameters. */
export function fill(path: string, valueOf: (parameter: string) => string): string {
  return path.replace(/\{(\w+)\}/g, (_whole, name: string) => encodeURIComponent(valueOf(name)));
}
