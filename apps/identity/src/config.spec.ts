import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { identityConfig } from './config.js';

const env = {
  GRPC_PORT: '50051',
  DATABASE_URL: 'postgres://localhost/identity',
  NATS_URL: 'nats://localhost',
  SOUK_SERVICE_TOKEN: 'x'.repeat(32),
  SOUK_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  SOUK_NOTIFICATIONS_ADDRESS: '127.0.0.1:50056',
  SOUK_ORDERS_ADDRESS: '127.0.0.1:50054',
  SOUK_PAYMENTS_ADDRESS: '127.0.0.1:50055',
};

describe('the configuration of identity', () => {
  it('needs no administrator', () => {
    expect(identityConfig(env).firstAdmin).toBeUndefined();
  });

  it('takes an administrator with address and password', () => {
    const admin = { SOUK_ADMIN_EMAIL: 'root@souk.local', SOUK_ADMIN_PASSWORD: 'a quiet garden' };
    expect(identityConfig({ ...env, ...admin }).firstAdmin).toEqual({
      email: 'root@souk.local',
      password: 'a quiet garden',
    });
  });

  it('leads links to the shop, wherever that is', () => {
    expect(identityConfig(env).SOUK_SHOP_URL).toBe('http://127.0.0.1:3000');
    expect(identityConfig({ ...env, SOUK_SHOP_URL: 'https://shop.example/de/' }).SOUK_SHOP_URL).toBe(
      'https://shop.example/de',
    );
  });

  const provider = {
    SOUK_OIDC_ISSUER: 'https://id.shop.example',
    SOUK_OIDC_CLIENT_ID: 'souk',
    SOUK_OIDC_CLIENT_SECRET: 'hidden',
    SOUK_OIDC_REDIRECT_URI: 'http://127.0.0.1:3000/back',
    SOUK_OIDC_ROLES: 'shop staff=staff,admins=admin',
    SOUK_OIDC_EMAIL_DOMAINS: 'Shop.example, second.example',
  };

  it('has no identity provider, or a whole one', () => {
    expect(identityConfig(env).provider).toBeUndefined();
    expect(identityConfig({ ...env, ...provider }).provider).toEqual({
      issuer: 'https://id.shop.example',
      clientId: 'souk',
      clientSecret: 'hidden',
      redirectUri: 'http://127.0.0.1:3000/back',
      scope: 'openid email profile',
      rolesClaim: 'groups',
      roles: new Map([
        ['shop staff', 'staff'],
        ['admins', 'admin'],
      ]),
      emailDomains: ['shop.example', 'second.example'],
    });
  });

  it('reads the secret of the provider from a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'souk-'));
    const file = join(folder, 'secret');
    writeFileSync(file, 'from a file\n');
    const { SOUK_OIDC_CLIENT_SECRET: _, ...others } = provider;
    const given = identityConfig({ ...env, ...others, SOUK_OIDC_CLIENT_SECRET_FILE: file });
    rmSync(folder, { recursive: true });
    expect(given.provider?.clientSecret).toBe('from a file');
  });

  it.each([
    [{ ...provider, SOUK_OIDC_ROLES: '' }, 'SOUK_OIDC_ROLES is not set, but other parts of SOUK_OIDC_* are.'],
    [{ ...provider, SOUK_OIDC_ROLES: 'staff' }, 'SOUK_OIDC_ROLES is wrong: it must be group=role'],
    [{ ...provider, SOUK_OIDC_ISSUER: 'http://id.shop.example' }, 'SOUK_OIDC_ISSUER is wrong: it must be an https'],
    [{ ...provider, SOUK_OIDC_SCOPE: 'email' }, 'SOUK_OIDC_SCOPE is wrong: it must contain openid'],
    [
      { ...provider, SOUK_OIDC_CLIENT_SECRET: '', SOUK_OIDC_CLIENT_SECRET_FILE: '/nowhere' },
      'SOUK_OIDC_CLIENT_SECRET_FILE is wrong',
    ],
    [{ SOUK_STAFF_PASSWORD_LOGIN: 'refused' }, 'names a provider to log in by'],
    [{ SOUK_KEY_ROTATION_DAYS: '0' }, 'SOUK_KEY_ROTATION_DAYS is wrong: it must be at least 1.'],
    [{ SOUK_SHOP_URL: 'javascript:alert(1)' }, 'SOUK_SHOP_URL is wrong: it must be an address'],
    [{ SOUK_SHOP_URL: 'https://shop.example/#x' }, 'SOUK_SHOP_URL is wrong'],
    [{ SOUK_KEY_ENCRYPTION_KEY: 'c2hvcnQ=' }, 'SOUK_KEY_ENCRYPTION_KEY is wrong: it must be 32 bytes in base64.'],
    [{ SOUK_ADMIN_EMAIL: 'root@souk.local' }, 'SOUK_ADMIN_EMAIL and SOUK_ADMIN_PASSWORD are set together'],
    [{ SOUK_ADMIN_EMAIL: 'root', SOUK_ADMIN_PASSWORD: 'a quiet garden' }, 'SOUK_ADMIN_EMAIL is wrong'],
    [{ SOUK_ADMIN_EMAIL: 'root@souk.local', SOUK_ADMIN_PASSWORD: 'short' }, 'A password has 10 to 128 characters'],
    [{ SOUK_ADMIN_EMAIL: 'root@souk.local', SOUK_ADMIN_PASSWORD: 'password123' }, 'the first that anybody would try'],
  ])('refuses %j in a plain sentence that shows no value', (wrong, sentence) => {
    expect(() => identityConfig({ ...env, ...wrong })).toThrow(sentence);
    expect(() => identityConfig({ ...env, ...wrong })).not.toThrow('c2hvcnQ=');
  });
});
