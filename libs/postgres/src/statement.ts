// SQL as SQL. Guarantees: one name stands for one text in the whole process, since Postgres keeps a prepared statement
// by its name and would otherwise run the wrong one.
import type { SpanStart } from '@souk/telemetry';

/** A statement that is prepared once per connection under its name. */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** How a statement shows up in traces: by its name, never with its parameters. */
export function spanOf({ name }: Statement): SpanStart {
  return {
    name,
    kind: 'client',
    isLeaf: true,
    attributes: { 'db.system.name': 'postgresql', 'db.query.summary': name },
  };
}

const textByName = new Map<string, string>();

/** Names a statement. Names are dotted, `orders.insert`, and at most 63 bytes long, beyond which Postgres cuts them. */
export function sql(name: string, text: string): Statement {
  if (Buffer.byteLength(name) > 63) {
    throw new Error(`The statement name ${name} is longer than 63 bytes.`);
  }
  const known = textByName.get(name);
  if (known !== undefined && known !== text) {
    throw new Error(`Two different statements are named ${name}.`);
  }
  textByName.set(name, text);
  return { name, text };
}
