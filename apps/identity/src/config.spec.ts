import { randomBytes } from 'node:crypto';
import { identityConfig } from './config.js';

const env = {
  GRPC_PORT: '50051',
  DATABASE_URL: 'postgres://localhost/identity',
  NATS_URL: 'nats://localhost',
  SOUK_SERVICE_TOKEN: 'x'.repeat(32),
  SOUK_KEY_ENCRYPTION_KEY: randomBytes(32).toString('base64'),
  SOUK_NOTIFICATIONS_ADDRESS: '127.0.0.1:50056',
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

  it.each([
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
