/**
 * Takes safeguards away, to show that each of them carries: a run without it must find what it prevents.
 *
 * - `claim`: keys and carts are no longer unique, so that whoever asks twice gets two orders.
 * - `inbox`: consumers forget what they have handled, so that an event that comes twice counts twice.
 * - `provider-key`: calls reach the provider without their key, so that a call that is repeated is a second one.
 */
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Switch } from './options.ts';
import type { Sources } from './sources.ts';

/** Takes away what lies in the databases. */
export async function switchOff(sources: Sources, switches: readonly Switch[]): Promise<void> {
  if (switches.includes('claim')) await forgetKeys(sources);
  if (switches.includes('inbox')) await forgetEvents(sources);
}

/** Passes calls on to the provider without their keys. @returns its port */
export async function keylessProvider(providerPort: number): Promise<number> {
  const server = createServer((incoming, response) => {
    const { method, url: path } = incoming;
    const headers = { ...incoming.headers };
    delete headers['idempotency-key'];
    const outgoing = request({ hostname: '127.0.0.1', port: providerPort, method, path, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      answer.pipe(response);
    });
    outgoing.on('error', () => response.destroy());
    response.on('close', () => outgoing.destroy());
    incoming.pipe(outgoing);
  });
  server.unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What is written under a key gets another one, so that nobody ever finds it again. */
async function forgetKeys(sources: Sources): Promise<void> {
  await sources.rows('orders', 'DROP INDEX orders_cart, orders_twin');
  const keys = [
    { table: 'orders', column: 'claim_key' },
    { table: 'claim_aliases', column: 'key' },
    { table: 'claims', column: 'key' },
  ];
  for (const { table, column } of keys) {
    await sources.rows(
      'orders',
      `CREATE FUNCTION forget_${table}() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN NEW.${column} := left(NEW.${column}, 200) || '/' || gen_random_uuid(); RETURN NEW; END $$;
       CREATE TRIGGER forget BEFORE INSERT ON ${table} FOR EACH ROW EXECUTE FUNCTION forget_${table}()`,
    );
  }
}

async function forgetEvents(sources: Sources): Promise<void> {
  for (const service of sources.services) {
    if (!(await sources.hasTable(service, 'inbox'))) continue;
    await sources.rows(service, 'ALTER TABLE inbox DROP CONSTRAINT inbox_pkey');
  }
}
