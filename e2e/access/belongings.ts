/** What belongs to one customer, over REST: an account, an order, a cart, an address, a session; and what the shop has. */
import type { Client, Order } from '../client.js';
import { fill } from './openapi.js';

const ENTRY = { name: 'Noor', line1: '1 Lamp Lane', city: 'London', postalCode: 'N1 9GU', country: 'GB' };

export class Belongings {
  private constructor(
    private readonly owner: Client,
    private readonly ids: Readonly<Record<string, string>>,
  ) {}

  static async make(owner: Client, admin: Client): Promise<Belongings> {
    const sku = await admin.sell(1_000);
    const { body: order } = await owner.placeOrder<Order>({ sku, token: 'pm_card_visa' });
    const { body: cart } = await owner.call<{ id: string }>('POST', '/v1/carts');
    await owner.call('PUT', `/v1/carts/${cart.id}/lines/${sku}`, { quantity: 1 });
    const { body: address } = await owner.call<{ id: string }>('POST', '/v1/me/addresses', { address: ENTRY });
    const { body: sessions } = await owner.call<{ items: { id: string }[] }>('GET', '/v1/me/sessions');
    const csv = `Handle,Title,Variant SKU,Variant Price\n${sku}-x,Thing,${sku}-X,1.00\n`;
    const { body: started } = await admin.call<{ id: string }>('POST', '/v1/products/import', csv);
    // Somebody else's: whoever has no token of it reads it by a permission alone.
    const { body: erasure } = await admin.call<{ id: string }>('POST', '/v1/erasures', { email: 'gone@example.com' });
    const { body: account } = await owner.call<{ id: string }>('GET', '/v1/me');
    const ids = {
      users: account.id,
      orders: order.id,
      carts: cart.id,
      addresses: address.id,
      sessions: sessions.items[0]?.id,
      erasures: erasure.id,
    };
    const shop = { ...(await administered(admin)), imports: started.id, sku, product: sku.toLowerCase() };
    const all = { ...ids, ...shop, refund: order.id };
    for (const [name, id] of Object.entries(all)) if (!id) throw new Error(`The customer has nothing for ${name}.`);
    return new Belongings(owner, all as Record<string, string>);
  }

  /** The route's address, with what belongs to the customer in its parameters. */
  addressOf(path: string): string {
    const parts = path.split('/');
    return fill(path, (name) => {
      const id = this.ids[name] ?? this.ids[parts[parts.indexOf(`{${name}}`) - 1] ?? ''];
      if (!id) throw new Error(`The customer has nothing for ${name} of ${path}: give this test one.`);
      return id;
    });
  }

  get cartId(): string {
    return this.ids['carts'] ?? '';
  }

  get sku(): string {
    return this.ids['sku'] ?? '';
  }

  /** Everything as its owner sees it: what nobody else may change. */
  async asSeenByOwner(): Promise<unknown> {
    const paths = ['/v1/orders/{id}', '/v1/carts/{id}', '/v1/me', '/v1/me/addresses', '/v1/orders'];
    const answers = await Promise.all(paths.map((path) => this.owner.call('GET', this.addressOf(path))));
    const { body } = await this.owner.call<{ items: { id: string }[] }>('GET', '/v1/me/sessions');
    if (answers.some(({ status }) => status !== 200)) throw new Error('The customer cannot see what is theirs.');
    return [...answers.map(({ body: seen }) => seen), body.items.map(({ id }) => id)];
  }
}

/** A role and a program with its secret. */
async function administered(admin: Client): Promise<Record<string, string | undefined>> {
  const { body: role } = await admin.call<{ name: string }>('POST', '/v1/roles', { name: 'tried', permissions: [] });
  const program = { name: 'Tried', permissions: [] };
  type Made = { client: { id: string; secrets: { id: string }[] } };
  const { body: made } = await admin.call<Made>('POST', '/v1/clients', program);
  return { roles: role.name, clients: made.client.id, secret: made.client.secrets[0]?.id };
}
