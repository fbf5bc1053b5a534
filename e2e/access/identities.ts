/** Everybody who tries: real accounts, roles and machine clients of the Souk under test. */
import { randomUUID } from 'node:crypto';
import { localProof } from '@souk/runner';
import type { LaunchedSouk } from '@souk/runner/launch';
import {
  ClientsServiceService,
  IdentityServiceService,
  RolesServiceService,
  UsersServiceService,
} from '@souk/proto/identity/v1';
import { rpcClient, type RpcClient, type ServiceDefinition } from '@souk/rpc';
import { runInContext } from '@souk/telemetry';
import { PERMISSIONS } from './table.js';

export interface Identity {
  readonly name: string;
  readonly kind: 'guest' | 'user' | 'client';
  readonly permissions: ReadonlySet<string>;
  readonly token?: string;
}

export const PASSWORD = 'a long enough password';

/** The rule as this test understands it, apart from the code that it tests. */
export function isLetIn(
  rules: readonly string[],
  { kind, permissions }: Identity,
  caller: string | undefined,
): boolean {
  const isSpokenFor = caller === 'gateway' || (caller === undefined && kind === 'client');
  return rules.some((rule) => {
    if (rule === 'public') return true;
    if (rule.startsWith('service:')) return rule === `service:${caller}`;
    if (!isSpokenFor) return false;
    return rule === 'anyone' || (rule === 'user' ? kind === 'user' : permissions.has(rule));
  });
}

/** Makes the call with the identity's token. */
export function as<T>({ token }: Pick<Identity, 'token'>, call: () => Promise<T>): Promise<T> {
  return runInContext({ requestId: 'permissions', traceparent: '', ...(token && { userToken: token }) }, call);
}

/** Makes accounts, roles and clients as the administrator does. */
export class Registry {
  private readonly opened: { close(): void }[] = [];
  private readonly identity = this.client(IdentityServiceService);
  private readonly roles = this.client(RolesServiceService);
  private readonly users = this.client(UsersServiceService);
  private readonly clients = this.client(ClientsServiceService);
  private admin: Identity | undefined;

  constructor(private readonly souk: LaunchedSouk) {}

  close(): void {
    this.opened.forEach((client) => client.close());
  }

  async theAdmin(): Promise<Identity> {
    const credentials = { email: 'admin@souk.local', password: this.souk.secrets.adminPassword };
    const { tokens } = await this.identity.login(credentials);
    this.admin = { name: 'admin', kind: 'user', permissions: new Set(PERMISSIONS), token: tokens!.accessToken };
    return this.admin;
  }

  async customer(name: string): Promise<Identity> {
    const { tokens } = await this.register(name);
    return { name, kind: 'user', permissions: new Set(), token: tokens!.accessToken };
  }

  /** A person with a role of the shop's own; logged in again, since tokens carry what roles were at that moment. */
  async person(name: string, permissions: readonly string[]): Promise<Identity> {
    const { user, tokens } = await this.register(name);
    await as(this.admin ?? {}, async () => {
      await this.roles.createRole({ name, permissions: [...permissions] });
      await this.users.assignRoles({ userId: user!.userId, roles: ['customer', name] });
    });
    const fresh = await this.identity.refreshSession({ refreshToken: tokens!.refreshToken });
    return { name, kind: 'user', permissions: new Set(permissions), token: fresh.tokens!.accessToken };
  }

  async program(name: string, permissions: readonly string[]): Promise<Identity> {
    const made = await as(this.admin ?? {}, () => this.clients.createClient({ name, permissions: [...permissions] }));
    const credentials = { clientId: made.client!.clientId, clientSecret: made.clientSecret, scope: '' };
    const { accessToken } = await this.clients.issueClientToken(credentials);
    return { name, kind: 'client', permissions: new Set(permissions), token: accessToken };
  }

  private register(name: string) {
    return this.identity.register({ email: `${randomUUID()}@example.com`, password: PASSWORD, name });
  }

  private client<S extends ServiceDefinition>(definition: S): RpcClient<S> {
    const address = `127.0.0.1:${this.souk.ports.identity}`;
    const client = rpcClient(definition, { address, caller: 'gateway', ...localProof(this.souk.dataDir, 'gateway') });
    this.opened.push(client);
    return client;
  }
}

/** Everybody: with each permission alone and with all but that one, people and programs. */
export async function everybody(registry: Registry): Promise<Identity[]> {
  await registry.theAdmin();
  const made: Identity[] = [{ name: 'guest', kind: 'guest', permissions: new Set() }];
  made.push(await registry.customer('other customer'));
  for (const permission of PERMISSIONS) {
    const others = PERMISSIONS.filter((other) => other !== permission);
    const word = permission.replace(':', '-');
    made.push(
      ...(await Promise.all([
        registry.person(`only-${word}`, [permission]),
        registry.person(`all-but-${word}`, others),
        registry.program(`only-${word}`, [permission]),
        registry.program(`all-but-${word}`, others),
      ])),
    );
  }
  return made;
}
