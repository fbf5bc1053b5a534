import { parseEnv } from 'node:util';
import { environmentFile, sandboxEnvironment, serviceEnvironment, type EnvironmentPlan } from './environment.ts';
import { GRPC_SERVICES, SERVICES } from './layout.ts';
import { planPorts } from './port-plan.ts';

const secrets = {
  postgresPassword: 'superuser',
  databasePasswords: Object.fromEntries(GRPC_SERVICES.map((name) => [name, `db-${name}`])) as Record<
    (typeof GRPC_SERVICES)[number],
    string
  >,
  serviceToken: 'service-token',
  keyEncryptionKey: 'key-encryption-key',
  orderTokenSecret: 'order-token-secret',
  managementToken: 'management-token',
  rateLimitSecret: 'rate-limit-secret',
  stripeApiKey: 'sk_test_made_up',
  stripeWebhookSecret: 'whsec_made_up',
  adminPassword: 'admin-password',
};

function plan(env: NodeJS.ProcessEnv = {}): EnvironmentPlan {
  return { ports: planPorts({}), secrets, dataDir: '/data', env };
}

describe('the environment of a service', () => {
  it.each(SERVICES)('of %s holds the secrets of no other', (service) => {
    const text = JSON.stringify(serviceEnvironment(service, plan()));
    const foreign = GRPC_SERVICES.filter((other) => other !== service).map((other) => `db-${other}`);
    expect([...foreign, 'superuser'].filter((secret) => text.includes(secret))).toEqual([]);
  });

  it.each([
    ['key-encryption-key', 'identity'],
    ['admin-password', 'identity'],
    ['order-token-secret', 'orders'],
    ['rate-limit-secret', 'gateway'],
    ['sk_test_made_up', 'payments'],
  ])('gives %s to %s alone', (secret, owner) => {
    const holders = SERVICES.filter((service) => JSON.stringify(serviceEnvironment(service, plan())).includes(secret));
    expect(holders).toEqual([owner]);
  });

  it('gives the gateway no database, and everybody NATS and the addresses', () => {
    const gateway = serviceEnvironment('gateway', plan());
    expect(gateway).not.toHaveProperty('DATABASE_URL');
    expect(gateway).toMatchObject({ PORT: '3000', SOUK_ORDERS_ADDRESS: '127.0.0.1:15054' });
    for (const service of SERVICES) {
      expect(serviceEnvironment(service, plan())).toMatchObject({ NATS_URL: 'nats://127.0.0.1:14222' });
    }
  });

  it('proves the name of each service by the secret of all, or by a certificate of its own', () => {
    expect(serviceEnvironment('orders', plan())).toMatchObject({ SOUK_SERVICE_TOKEN: 'service-token' });
    const orders = serviceEnvironment('orders', plan({ SOUK_TLS: 'on' }));
    expect(orders).toMatchObject({ SOUK_TLS: 'on', SOUK_TLS_KEY_FILE: '/data/tls/orders/key.pem' });
    expect(orders).not.toHaveProperty('SOUK_SERVICE_TOKEN');
  });

  it('passes a setting of the caller on to the service that it is for', () => {
    const env = { SOUK_CAPTURE: 'fulfilment', SOUK_ADMIN_PASSWORD: 'given by the caller', UNRELATED: 'x' };
    expect(serviceEnvironment('payments', plan(env))['SOUK_CAPTURE']).toBe('fulfilment');
    expect(serviceEnvironment('orders', plan(env))).not.toHaveProperty('SOUK_CAPTURE');
    expect(serviceEnvironment('identity', plan(env))['SOUK_ADMIN_PASSWORD']).toBe('given by the caller');
    expect(serviceEnvironment('gateway', plan(env))).not.toHaveProperty('UNRELATED');
  });

  it("does not charge real cards because a Stripe key happens to be in the caller's shell", () => {
    const payments = serviceEnvironment('payments', plan({ STRIPE_API_KEY: 'sk_live_real' }));
    expect(payments).toMatchObject({ STRIPE_API_BASE: 'http://127.0.0.1:12111', STRIPE_API_KEY: 'sk_test_made_up' });
  });

  it('uses another provider when its address is given', () => {
    const env = { STRIPE_API_BASE: 'https://api.stripe.com', STRIPE_API_KEY: 'sk_test_theirs' };
    expect(serviceEnvironment('payments', plan(env))).toMatchObject(env);
  });

  it('lets the sandbox sign its webhooks with the secret that payments verifies', () => {
    const signs = sandboxEnvironment(plan())['STRIPE_WEBHOOK_SECRET'];
    expect(signs).toBe(serviceEnvironment('payments', plan())['STRIPE_WEBHOOK_SECRET']);
  });

  it('survives being written to a file and read again', () => {
    const environment = { PLAIN: 'a=b', QUOTED: `it's`, BOTH: `it's "so"`, DOLLAR: '$HOME #1' };
    expect(parseEnv(environmentFile(environment))).toEqual(environment);
  });
});
