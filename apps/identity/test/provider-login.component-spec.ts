import { sql } from '@souk/postgres';
import { ProviderLoginServiceService } from '@souk/proto/identity/v1';
import type { RpcClient } from '@souk/rpc';
import { decodeJwt } from 'jose';
import type { ProviderConfig } from '../src/federation/provider-config.js';
import {
  ADMIN,
  as,
  IdentityUnderTest,
  newOwner,
  newPerson,
  PASSWORD,
  refreshed,
  refusal,
  toPerson,
  type Replica,
} from './identity-under-test.js';
import { CLIENT, impostorOf, OTHER_CLIENT, REDIRECT_URI, ShopProvider, type Back } from './shop-provider.js';

describe('logging in by the identity provider', () => {
  let identity: IdentityUnderTest;
  let shop: ShopProvider;
  let provider: ProviderConfig;
  let replica: Replica;
  let client: RpcClient<typeof ProviderLoginServiceService>;

  beforeAll(async () => {
    [identity, shop] = await Promise.all([IdentityUnderTest.prepare(), ShopProvider.start()]);
    provider = {
      issuer: shop.issuer,
      clientId: CLIENT.client_id,
      clientSecret: CLIENT.client_secret,
      redirectUri: REDIRECT_URI,
      scope: 'openid email profile',
      rolesClaim: 'groups',
      roles: new Map([
        ['shop-staff', 'staff'],
        ['shop-admins', 'admin'],
      ]),
      emailDomains: ['shop.example'],
    };
    replica = await identity.start({ provider });
    client = identity.clientOf(ProviderLoginServiceService, replica.service);
  });

  afterAll(() => Promise.all([identity.tearDown(), shop.down()]));

  const device = { address: '203.0.113.7', userAgent: 'Console/1.0' };
  const begin = () => client.beginProviderLogin({ device });
  const complete = (back: Back & { verifier: string }) => client.completeProviderLogin({ ...back, device });

  function employ(sub: string, about: object = {}): string {
    const email = `${sub}@shop.example`;
    shop.people.set(sub, { name: 'Ada', email, email_verified: true, groups: ['shop-staff'], ...about });
    return sub;
  }

  /** Begins, visits the provider as that person, and answers what the browser has then. */
  async function visit(sub: string, change = (url: URL): void => void url) {
    const { authorizationUrl, verifier } = await begin();
    const url = new URL(authorizationUrl);
    change(url);
    return { ...(await shop.visit(url.href, sub)), verifier };
  }

  const logIn = async (sub: string) => complete(await visit(sub));
  const refused = { kind: 'unauthenticated', reason: 'PROVIDER_LOGIN_REFUSED' };
  const ended = { kind: 'unauthenticated', reason: 'PROVIDER_LOGIN_ENDED' };

  describe('lets in', () => {
    it('somebody new, with an account, the roles of their groups, and a session that says how', async () => {
      const { user, tokens } = await logIn(employ('ada', { groups: ['shop-staff', 'chess club'] }));
      expect(user).toMatchObject({
        email: 'ada@shop.example',
        emailVerified: true,
        name: 'Ada',
        roles: ['customer', 'staff'],
      });
      const claims = { sub: user!.userId, amr: ['fed'], roles: ['customer', 'staff'], aud: 'souk' };
      expect(decodeJwt(tokens!.accessToken)).toMatchObject(claims);
      const next = await refreshed(replica, toPerson({ user, tokens }));
      expect(decodeJwt(next.accessToken)).toMatchObject(claims);
    });

    it('the same person again, whatever became of their address and its proof', async () => {
      const first = await logIn(employ('bea'));
      employ('bea', { email: 'moved@elsewhere.example', email_verified: false });
      const again = await logIn('bea');
      expect(again.user).toMatchObject({ userId: first.user!.userId, email: 'bea@shop.example' });
    });

    it('the owner of the address, in the account that they have', async () => {
      const owner = await newOwner(identity, replica, 'cleo@shop.example');
      expect((await logIn(employ('cleo'))).user).toMatchObject({ userId: owner.userId, roles: ['customer', 'staff'] });
    });

    it('nobody into an account that carries the address without proof', async () => {
      const squatter = await newPerson(replica, 'dora@shop.example');
      expect((await logIn(employ('dora'))).user?.userId).not.toBe(squatter.userId);
    });

    it('with the roles of this moment, more or fewer', async () => {
      const roles = async (groups: string[]) => (await logIn(employ('eve', { groups }))).user?.roles;
      expect(await roles(['shop-staff'])).toEqual(['customer', 'staff']);
      expect(await roles(['shop-admins', 'shop-staff'])).toEqual(['customer', 'admin', 'staff']);
      expect(await roles(['shop-admins'])).toEqual(['customer', 'admin']);
      expect(await roles(['shop-staff'])).toEqual(['customer', 'staff']);
    });

    it('one account for a person who comes twice at once for the first time', async () => {
      const backs = await Promise.all([visit(employ('twin')), visit('twin'), visit('twin')]);
      const users = await Promise.all(backs.map(async (back) => (await complete(back)).user?.userId));
      expect(new Set(users).size).toBe(1);
    });
  });

  describe('keeps out', () => {
    it('whom the provider gives no role, and makes no account for them', async () => {
      const stranger = logIn(employ('guest', { groups: ['chess club'] }));
      expect(await refusal(stranger)).toMatchObject({ kind: 'forbidden', reason: 'NOT_STAFF' });
      expect(await accounts('guest@shop.example')).toBe(0);
    });

    it('who has no role any more, and takes roles and sessions from them', async () => {
      const left = toPerson(await logIn(employ('fay')));
      employ('fay', { groups: [] });
      expect(await refusal(logIn('fay'))).toMatchObject({ reason: 'NOT_STAFF' });
      expect(await refusal(refreshed(replica, left))).toMatchObject({ reason: 'SESSION_ENDED' });
      const chief = toPerson(await replica.client.login(ADMIN));
      const { users } = await as(chief, () =>
        replica.users.listUsers({ email: 'fay@shop.example', role: '', pageSize: 1, pageToken: '' }),
      );
      expect(users[0]?.roles).toEqual(['customer']);
    });

    it.each([
      ['is not proved', { email_verified: false }],
      ['is not said to be proved', { email_verified: undefined }],
      ['is in another domain', { email: 'gil@other.example' }],
      ['is missing', { email: undefined }],
    ])('somebody new whose address %s', async (_case, about) => {
      const login = logIn(employ('gil', about));
      expect(await refusal(login)).toMatchObject({ kind: 'forbidden', reason: 'PROVIDER_EMAIL_UNVERIFIED' });
    });

    it('somebody else at the provider who got the address of a person who was here', async () => {
      const first = await logIn(employ('hal'));
      const successor = logIn(employ('hal-2', { email: 'hal@shop.example' }));
      expect(await refusal(successor)).toMatchObject({ kind: 'conflict', reason: 'PROVIDER_ACCOUNT_TAKEN' });
      expect((await logIn('hal')).user?.userId).toBe(first.user?.userId);
    });

    it('a browser that did not begin, or that shows another state', async () => {
      const [mine, other] = [await visit(employ('ida')), await visit('ida')];
      expect(await refusal(complete({ ...mine, verifier: other.verifier }))).toMatchObject(ended);
      expect(await refusal(complete({ ...mine, state: other.state }))).toMatchObject(ended);
      expect(await refusal(complete({ ...mine, state: 'nonsense', verifier: '' }))).toMatchObject(ended);
      // None of these ended it for the browser that did.
      expect((await complete(mine)).user).toBeDefined();
    });

    it('who comes back twice, or late', async () => {
      const back = await visit(employ('jan'));
      const outcomes = await Promise.allSettled([complete(back), complete(back)]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await refusal(complete(back))).toMatchObject(ended);
      const late = await visit('jan');
      await identity.postgres.database.query(sql('test.late', 'UPDATE provider_logins SET expires_at = now()'));
      expect(await refusal(complete(late))).toMatchObject(ended);
    });

    it('a code that was used, that was made for another log-in, or for another client', async () => {
      const used = await visit(employ('kim'));
      await complete(used);
      const fresh = await visit('kim');
      expect(await refusal(complete({ ...fresh, code: used.code }))).toMatchObject(refused);
      const [one, two] = [await visit('kim'), await visit('kim')];
      expect(await refusal(complete({ ...one, code: two.code }))).toMatchObject(refused);
      const foreign = await visit('kim', (url) => url.searchParams.set('client_id', OTHER_CLIENT.client_id));
      expect(await refusal(complete(foreign))).toMatchObject(refused);
    });

    it('an ID token with another nonce, or from another issuer', async () => {
      const replayed = await visit(employ('lea'), (url) => url.searchParams.set('nonce', 'another one'));
      expect(await refusal(complete(replayed))).toMatchObject(refused);
      const mixedUp = await visit('lea');
      expect(await refusal(complete({ ...mixedUp, issuer: 'https://evil.example' }))).toMatchObject(refused);
    });

    it('an ID token that no published key signed', async () => {
      const back = await visit(employ('mia'));
      const { keys } = (await (await fetch(`${shop.issuer}/jwks`)).json()) as { keys: [{ kid: string }] };
      shop.publishedKeys = [await impostorOf(keys[0])];
      expect(await refusal(complete(back))).toMatchObject(refused);
      shop.publishedKeys = undefined;
      expect((await logIn('mia')).user).toBeDefined();
    });

    it('the last administrator whose groups say otherwise, rather than leaving the shop without one', async () => {
      const owned = await logIn(employ('root', { email: 'ned@shop.example', groups: ['shop-admins'] }));
      const demote = `UPDATE users SET roles = ARRAY['customer'] WHERE user_id <> $1 AND 'admin' = ANY (roles)`;
      await identity.postgres.database.query(sql('test.demote', demote), [owned.user!.userId]);
      employ('root', { groups: ['shop-staff'] });
      expect(await refusal(logIn('root'))).toMatchObject({ reason: 'LAST_ADMIN' });
      const restore = `UPDATE users SET roles = ARRAY['customer', 'staff', 'admin'] WHERE email_key = $1`;
      await identity.postgres.database.query(sql('test.restore', restore), [ADMIN.email]);
    });
  });

  it('goes on when the provider changes its keys', async () => {
    await logIn(employ('oda'));
    await shop.newKeys();
    expect((await logIn('oda')).user).toBeDefined();
  });

  it('says so while the provider is away, and is back with it; passwords work meanwhile', async () => {
    const back = await visit(employ('pia'));
    await shop.down();
    const away = { kind: 'unavailable', reason: 'PROVIDER_UNAVAILABLE' };
    expect(await refusal(complete(back))).toMatchObject(away);
    const late = await identity.start({ provider });
    const other = identity.clientOf(ProviderLoginServiceService, late.service);
    expect(await refusal(other.beginProviderLogin({ device }))).toMatchObject(away);
    expect((await late.client.login(ADMIN)).user).toBeDefined();
    await shop.up();
    expect((await other.beginProviderLogin({ device })).authorizationUrl).toContain(shop.issuer);
    expect((await logIn('pia')).user).toBeDefined();
  });

  it('is counted for where it begins, so that nobody begins without end', async () => {
    const flood = { address: '198.51.100.9', userAgent: '' };
    const started = Array.from({ length: 55 }, () => client.beginProviderLogin({ device: flood }));
    const outcomes = await Promise.allSettled(started);
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(50);
  });

  it('is not there in a shop without one', async () => {
    const plain = await identity.start();
    const other = identity.clientOf(ProviderLoginServiceService, plain.service);
    const none = { kind: 'not_found', reason: 'PROVIDER_NOT_CONFIGURED' };
    expect(await refusal(other.beginProviderLogin({ device }))).toMatchObject(none);
    const back = { code: 'c', state: 's', issuer: '', verifier: 'v', device };
    expect(await refusal(other.completeProviderLogin(back))).toMatchObject(none);
  });

  describe('where staff may not log in by password', () => {
    let strict: Replica;

    beforeAll(async () => {
      strict = await identity.start({
        provider,
        SOUK_STAFF_PASSWORD_LOGIN: 'refused',
        SOUK_STAFF_SECOND_FACTOR: 'required',
      });
    });

    it('customers do, and staff by the provider, which is asked for the second factor', async () => {
      const customer = await newPerson(strict, 'customer@example.com');
      expect((await strict.client.login({ email: customer.email, password: PASSWORD })).user).toBeDefined();
      const staff = toPerson(await logIn(employ('quin')));
      expect(decodeJwt((await refreshed(strict, staff)).accessToken)).toMatchObject({ aud: 'souk', amr: ['fed'] });
    });

    it('staff are sent there, also with sessions from before', async () => {
      const off = { kind: 'forbidden', reason: 'PASSWORD_LOGIN_OFF' };
      const earlier = toPerson(await replica.client.login(ADMIN));
      expect(await refusal(strict.client.login(ADMIN))).toMatchObject(off);
      expect(await refusal(refreshed(strict, earlier))).toMatchObject(off);
      const wrong = strict.client.login({ ...ADMIN, password: 'not this one' });
      expect(await refusal(wrong)).toMatchObject({ reason: 'WRONG_CREDENTIALS' });
    });
  });

  async function accounts(email: string): Promise<number> {
    const found = sql('test.accounts', 'SELECT 1 FROM users WHERE email_key = $1');
    return (await identity.postgres.database.query(found, [email])).length;
  }
});
