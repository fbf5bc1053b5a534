/** A real OpenID provider on this machine, with people that a test makes up, and a browser that visits it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import Provider, { type Adapter, type AdapterPayload, type Configuration } from 'oidc-provider';

export const CLIENT = { client_id: 'souk', client_secret: 'a secret of the tests only' };
export const OTHER_CLIENT = { client_id: 'other', client_secret: 'another secret of the tests' };
export const REDIRECT_URI = 'http://127.0.0.1:1/console/back';

/** What the provider says of somebody, beside `sub`. */
export type Person = Readonly<Record<string, unknown>>;

/** What stands in the address that the browser comes back to. */
export interface Back {
  readonly code: string;
  readonly state: string;
  readonly issuer: string;
}

export class ShopProvider {
  readonly people = new Map<string, Person>();
  private server: Server | undefined;
  private provider: Provider | undefined;
  private port = 0;
  /** Published in place of the keys that sign. */
  publishedKeys: JWK[] | undefined;

  static async start(): Promise<ShopProvider> {
    const shop = new ShopProvider();
    await shop.up();
    return shop;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Starts, with new keys, at the address that it had. */
  async up(): Promise<void> {
    const server = createServer((request, response) => void this.provider?.callback()(request, response));
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.server = server;
    this.port = (server.address() as AddressInfo).port;
    await this.newKeys();
  }

  async down(): Promise<void> {
    const { server } = this;
    this.server = undefined;
    server?.closeAllConnections();
    await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
  }

  /** Signs with a new key from now on, and publishes it alone. */
  async newKeys(): Promise<void> {
    this.provider = this.make(await newKey());
  }

  /** Goes where a browser is sent, logs in there as that person, and answers where it is sent back to. */
  async visit(authorizationUrl: string, sub: string): Promise<Back> {
    const cookies = new Map<string, string>();
    let url = new URL(authorizationUrl);
    url.searchParams.set('login_hint', sub);
    for (let hops = 0; hops < 10; hops++) {
      if (url.href.startsWith(REDIRECT_URI)) return backOf(url);
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
      response.headers.getSetCookie().forEach((line) => {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        cookies.set(name, value);
      });
      const location = response.headers.get('location');
      if (!location) throw new Error(`${url.pathname} answered ${response.status}: ${await response.text()}`);
      url = new URL(location, url);
    }
    throw new Error('The provider sends the browser round in circles.');
  }

  private make(key: JWK): Provider {
    const provider = new Provider(this.issuer, this.configuration(key));
    provider.use(async (context, next) => {
      const interaction = /^\/interaction\/[\w-]+$/.test(context.path);
      if (!interaction) {
        await next();
        if (context.path === '/jwks' && this.publishedKeys) context.body = { keys: this.publishedKeys };
        return;
      }
      // The page that would ask for a password: it takes the word of the test.
      const { params } = await provider.interactionDetails(context.req, context.res);
      const login = { accountId: String(params['login_hint']) };
      await provider.interactionFinished(context.req, context.res, { login });
      context.respond = false;
    });
    return provider;
  }

  private configuration(key: JWK): Configuration {
    const client = {
      redirect_uris: [REDIRECT_URI],
      response_types: ['code' as const],
      grant_types: ['authorization_code'],
    };
    return {
      adapter: (name) => new Memory(name),
      clients: [CLIENT, OTHER_CLIENT].map((credentials) => ({ ...client, ...credentials })),
      jwks: { keys: [key] },
      cookies: { keys: ['a key of the tests'] },
      conformIdTokenClaims: false,
      claims: { openid: ['sub', 'groups'], email: ['email', 'email_verified'], profile: ['name'] },
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => true },
      ttl: { AccessToken: 600, Grant: 600, IdToken: 600, Interaction: 600, Session: 600 },
      interactions: { url: (_context, { uid }) => `/interaction/${uid}` },
      findAccount: (_context, sub) => ({ accountId: sub, claims: () => ({ sub, ...this.people.get(sub) }) }),
      // Everybody agrees to tell the shop who they are.
      loadExistingGrant: async (context) => {
        const { Grant } = context.oidc.provider;
        const grant = new Grant({
          clientId: context.oidc.client!.clientId,
          accountId: context.oidc.session!.accountId!,
        });
        grant.addOIDCScope('openid email profile');
        await grant.save();
        return grant;
      },
    };
  }
}

/** What the provider remembers, also over a change of its keys. */
class Memory implements Adapter {
  private static readonly all = new Map<string, AdapterPayload>();

  constructor(private readonly name: string) {}

  async upsert(id: string, payload: AdapterPayload): Promise<void> {
    Memory.all.set(this.key(id), payload);
  }

  async find(id: string): Promise<AdapterPayload | undefined> {
    return Memory.all.get(this.key(id));
  }

  async findByUid(uid: string): Promise<AdapterPayload | undefined> {
    return this.own().find((payload) => payload.uid === uid);
  }

  async findByUserCode(userCode: string): Promise<AdapterPayload | undefined> {
    return this.own().find((payload) => payload.userCode === userCode);
  }

  async consume(id: string): Promise<void> {
    const payload = Memory.all.get(this.key(id));
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id: string): Promise<void> {
    Memory.all.delete(this.key(id));
  }

  async revokeByGrantId(grantId: string): Promise<void> {
    for (const [key, payload] of Memory.all) if (payload.grantId === grantId) Memory.all.delete(key);
  }

  private own(): AdapterPayload[] {
    return [...Memory.all].filter(([key]) => key.startsWith(`${this.name} `)).map(([, payload]) => payload);
  }

  private key(id: string): string {
    return `${this.name} ${id}`;
  }
}

/** A public key that looks like that of another one: the same name, and nothing else. */
export async function impostorOf({ kid }: JWK): Promise<JWK> {
  const { d: _, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, ...other } = await newKey();
  return { ...other, ...(kid && { kid }) };
}

async function newKey(): Promise<JWK> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig', kid: crypto.randomUUID() };
}

function backOf({ searchParams }: URL): Back {
  const error = searchParams.get('error');
  if (error) throw new Error(`The provider says ${error}: ${searchParams.get('error_description')}`);
  const part = (name: string) => searchParams.get(name) ?? '';
  return { code: part('code'), state: part('state'), issuer: part('iss') };
}
