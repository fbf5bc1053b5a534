// What the process was configured with, to be shown. Guarantees: no secret is in it, neither such as are declared to be one nor
// what looks like one by its name or inside of an address; and the digest, made of what is shown, tells nothing of them.
import { createHash } from 'node:crypto';
import type { z } from 'zod';
import { isSecret } from './fields.js';

export interface Variable {
  readonly value: string | null;
  readonly source: 'environment' | 'default' | 'not set';
}

const REDACTED = '[redacted]';
const SECRET_NAME = /TOKEN|SECRET|PASSWORD|CREDENTIAL|EMAIL|(^|_)KEY$|_API_KEY/;
const PASSWORD_IN_URL = /(:\/\/[^\s/@:]*):[^\s/]*@/g;
const SECRET_IN_QUERY = /([?&][^=&]*(?:password|token|secret|key)[^=&]*)=[^&]*/gi;

const variables = new Map<string, Variable>();

/** Remembers what was read. */
export function rememberConfig(shape: z.ZodRawShape, given: Readonly<Record<string, string>>, parsed: object): void {
  for (const [name, schema] of Object.entries(shape)) {
    const value: unknown = Reflect.get(parsed, name);
    const source = name in given ? 'environment' : value === undefined ? 'not set' : 'default';
    if (value === undefined) variables.set(name, { value: null, source });
    else if (isSecret(schema as z.ZodType) || SECRET_NAME.test(name)) variables.set(name, { value: REDACTED, source });
    else variables.set(name, { value: textOf(value), source });
  }
}

/** All variables that were read, by name, and a digest that is the same where they are. */
export function effectiveConfig(): { readonly digest: string; readonly variables: Record<string, Variable> } {
  const sorted = [...variables].sort(([one], [other]) => (one < other ? -1 : 1));
  const digest = createHash('sha256').update(JSON.stringify(sorted)).digest('hex').slice(0, 16);
  return { digest, variables: Object.fromEntries(sorted) };
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.replace(PASSWORD_IN_URL, `$1:${REDACTED}@`).replace(SECRET_IN_QUERY, `$1=${REDACTED}`);
}
