import { workspacePath } from '@souk/testing';
import { readFileSync } from 'node:fs';

/** An event's data as its publisher's test emits it. */
export function fixture(type: string): unknown {
  return JSON.parse(readFileSync(workspacePath(`proto/fixtures/${type}.json`), 'utf8'));
}
