// Configuration from the environment. Guarantees: a service starts with a complete, typed configuration or not at all,
// every wrong variable is named at once in one plain sentence, and no value is ever shown, since any may be a secret.
import { z } from 'zod';
import { rememberConfig } from './effective.js';

/** The environment lacks something or has it wrong; the message is for the person who starts the service. */
export class ConfigError extends Error {
  constructor(readonly sentences: string[]) {
    super(sentences.join('\n'));
    this.name = 'ConfigError';
  }
}

/** Reads the variables that `shape` names. An empty variable counts as one that is not set. */
export function loadConfig<Shape extends z.ZodRawShape>(
  shape: Shape,
  env: NodeJS.ProcessEnv = process.env,
): z.infer<z.ZodObject<Shape>> {
  const given: Record<string, string> = {};
  for (const name of Object.keys(shape)) {
    const value = env[name];
    if (value !== undefined && value !== '') {
      given[name] = value;
    }
  }
  const parsed = z.object(shape).safeParse(given);
  if (!parsed.success) {
    throw new ConfigError(sentencesFor(parsed.error.issues, given));
  }
  rememberConfig(shape, given, parsed.data);
  return parsed.data;
}

function sentencesFor(issues: z.core.$ZodIssue[], given: Record<string, string>): string[] {
  const byVariable = new Map<string, string>();
  for (const issue of issues) {
    const name = String(issue.path[0]);
    if (!byVariable.has(name)) {
      byVariable.set(name, name in given ? `${name} is wrong: ${plain(issue)}.` : `${name} is not set.`);
    }
  }
  return [...byVariable.values()];
}

// Written here and not taken from zod where zod's own text speaks of types that the reader does not know.
function plain(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type' && issue.expected === 'number' && issue.message.startsWith('Invalid input')) {
    return 'it must be a number';
  }
  if (issue.code === 'invalid_value') {
    return `it must be one of ${issue.values.map(String).join(', ')}`;
  }
  return issue.message.replace(/^Invalid input: /, '').replace(/\.$/, '');
}
