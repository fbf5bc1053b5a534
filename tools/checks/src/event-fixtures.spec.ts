// The fixtures of all events, read by the generated code as a consumer reads them.
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as catalog from '@souk/proto/catalog/v1';
import * as identity from '@souk/proto/identity/v1';
import * as inventory from '@souk/proto/inventory/v1';
import * as orders from '@souk/proto/orders/v1';
import * as payments from '@souk/proto/payments/v1';
import { ROOT } from './projects.ts';

const SERVICES: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  catalog,
  identity,
  inventory,
  orders,
  payments,
};
const NAMES = globSync('proto/fixtures/*.json', { cwd: ROOT }).map((file) => basename(file, '.json'));

interface Codec {
  fromJSON(json: unknown): unknown;
}

function codecOf(name: string): Codec {
  const [, service = '', , message = ''] = name.split('.');
  return SERVICES[service]?.[message] as Codec;
}

function fixture(name: string): unknown {
  return JSON.parse(readFileSync(join(ROOT, `proto/fixtures/${name}.json`), 'utf8'));
}

/** As a later release may write it: with further fields in each message. */
function extended(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(extended);
  if (typeof json !== 'object' || json === null) return json;
  const fields = Object.entries(json).map(([name, value]) => [name, extended(value)]);
  return { ...Object.fromEntries(fields), addedLater: { amount: '1' }, addedToo: [1, 2] };
}

it.each(NAMES)('%s is read by who does not know what was added to it later (F65)', (name) => {
  const codec = codecOf(name);
  expect(codec.fromJSON(extended(fixture(name)))).toEqual(codec.fromJSON(fixture(name)));
});
