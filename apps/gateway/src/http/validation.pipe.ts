import { Injectable, type ArgumentMetadata, type PipeTransform } from '@nestjs/common';
import { invalid, type FieldViolation } from '@souk/errors';

/** One finding of a schema; more than the standard's path and message where the schema is zod's. */
export interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
  readonly code?: string;
  /** Names of the fields that the schema does not know. */
  readonly keys?: readonly string[];
}

/** Holds what a request brings to the schema that its route declares for it, and names every wrong field at once. */
@Injectable()
export class ValidationPipe implements PipeTransform {
  async transform(value: unknown, { schema, data, type }: ArgumentMetadata): Promise<unknown> {
    if (!schema || type === 'custom') return value;
    const result = await schema['~standard'].validate(value);
    if (result.issues) throw invalid(violationsOf(result.issues, data ?? ''));
    return result.value;
  }
}

/**
 * One entry per wrong field: the first thing that is wrong with it.
 * @param root name of the whole value; empty for a body
 */
export function violationsOf(issues: readonly Issue[], root: string): FieldViolation[] {
  const found = new Map<string, string>();
  for (const issue of issues) {
    const field = fieldOf(root, issue.path ?? []);
    const fields = issue.keys?.map((key) => fieldOf(field, [key])) ?? [field === '' ? 'body' : field];
    for (const name of fields) if (!found.has(name)) found.set(name, describe(issue));
  }
  return [...found].map(([field, description]) => ({ field, description }));
}

function fieldOf(root: string, path: NonNullable<Issue['path']>): string {
  return path.reduce<string>((field, segment) => {
    const key = typeof segment === 'object' ? segment.key : segment;
    if (typeof key === 'number') return `${field}[${key}]`;
    return field === '' ? String(key) : `${field}.${String(key)}`;
  }, root);
}

function describe({ code, message }: Issue): string {
  if (code === 'unrecognized_keys') return 'is not a known field';
  if (code === 'invalid_type' && message.endsWith('received undefined')) return 'is missing';
  return message.replace(/^Invalid input: /, '');
}
