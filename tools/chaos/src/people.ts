/** Everybody who comes into the shop, each by one of its doors. */
import { randomUUID } from 'node:crypto';
import { Buyer } from './buyer.ts';
import { ShopClient } from './client.ts';
import type { Cluster } from './cluster.ts';
import type { History } from './history.ts';
import { HttpClient } from './http.ts';
import type { Random } from './random.ts';
import { Staff } from './staff.ts';
import { DOORS } from './topology.ts';

export interface People {
  readonly buyers: readonly Buyer[];
  readonly staff: readonly Staff[];
}

const ADMIN_EMAIL = 'admin@souk.local';
const STAFF = 2;
/** One of so many buyers has an account. */
const ACCOUNT_EVERY = 4;

export async function makePeople(cluster: Cluster, history: History, random: Random, buyers: number): Promise<People> {
  const doors = DOORS.filter((door) => door !== 'staff-door').map((door) => doorOf(cluster, door));
  const buyer = async (_: unknown, index: number): Promise<Buyer> => {
    const name = `buyer-${index + 1}`;
    const account = { email: `${name}@example.com`, password: randomUUID() };
    const hasAccount = index % ACCOUNT_EVERY === 0;
    const door = doors[index % doors.length] as HttpClient;
    const client = new ShopClient(door, history, name, hasAccount ? account : undefined);
    if (hasAccount) await client.register();
    return new Buyer(client, random.fork(name));
  };
  const clerk = async (_: unknown, index: number): Promise<Staff> => {
    const name = `staff-${index + 1}`;
    const client = adminOf(cluster, history, name);
    await client.logIn();
    return new Staff(client, history, random.fork(name));
  };
  return {
    buyers: await Promise.all(Array.from({ length: buyers }, buyer)),
    staff: await Promise.all(Array.from({ length: STAFF }, clerk)),
  };
}

/** Whoever uses the administrator's account. */
export function adminOf(cluster: Cluster, history: History, name = 'admin'): ShopClient {
  const credentials = { email: ADMIN_EMAIL, password: cluster.secrets.adminPassword };
  return new ShopClient(doorOf(cluster, 'staff-door'), history, name, credentials);
}

function doorOf(cluster: Cluster, door: string): HttpClient {
  return new HttpClient(cluster.linkPort(door, 'gateway'));
}
