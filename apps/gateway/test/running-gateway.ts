import type { AddressInfo } from 'node:net';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { createLogger } from '@souk/telemetry';
import { gatewayConfig } from '../src/config.js';
import { closeGateway, createGateway } from '../src/gateway.js';
import { USER_ID } from './builders.js';
import { fakeServices, type FakeServices } from './services.js';

export interface RunningGateway {
  readonly url: string;
  readonly app: NestFastifyApplication;
  readonly services: FakeServices;
  /** The access tokens of a customer and of a member of staff. */
  readonly customer: string;
  readonly staff: string;
  readonly identity: TestIdentity;
  /** That of somebody who must set up a second factor first. */
  readonly enrolling: string;
  fetch(path: string, init?: RequestInit & { token?: string; json?: unknown }): Promise<Response>;
  stop(): Promise<void>;
}

/** A gateway on a free port, with its neighbours faked; whoever logs in is known to the fake identity service. */
export async function runGateway(env: NodeJS.ProcessEnv = {}): Promise<RunningGateway> {
  const services = await fakeServices();
  const identity = await testIdentity();
  services.answers.identity.listSigningKeys = async () => ({
    keys: (await identity.keys()).map((jwk) => ({ keyId: String(jwk.kid), jwk: JSON.stringify(jwk) })),
  });
  const addresses: Record<string, string> = {};
  for (const [name, at] of Object.entries(services.addresses)) addresses[`SOUK_${name.toUpperCase()}_ADDRESS`] = at;
  const config = gatewayConfig({
    SOUK_SERVICE_TOKEN: 'a-service-token-for-tests',
    ...addresses,
    ...env,
  });
  const app = await createGateway(config, createLogger('gateway'));
  await app.init();
  await app.getHttpAdapter().getInstance().listen({ host: '127.0.0.1', port: 0 });
  const url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}`;
  return {
    url,
    app,
    services,
    identity,
    ...(await tokens(identity)),
    fetch: (path, { token, json, headers, ...init } = {}) =>
      fetch(`${url}${path}`, {
        ...init,
        headers: {
          ...(token ? { authorization: `Bearer ${token}` } : {}),
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...(headers as Record<string, string> | undefined),
        },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      }),
    stop: async () => {
      await closeGateway(app, 1_000);
      services.stopAll();
    },
  };
}

async function tokens(identity: TestIdentity) {
  return {
    customer: await identity.tokenFor({ userId: USER_ID }),
    enrolling: await identity.enrollingToken({ userId: USER_ID, sessionId: 's1' }),
    staff: await identity.tokenFor({ userId: USER_ID, roles: ['customer', 'staff'] }),
  };
}
