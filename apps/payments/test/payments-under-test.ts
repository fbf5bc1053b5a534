/** The whole service with a real database, broker and payment provider; the test is its neighbours. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomUUID } from 'node:crypto';
import type { Role } from '@souk/auth';
import type { Type } from '@nestjs/common';
import { testIdentity, type TestIdentity } from '@souk/auth/testing';
import { decodeEvent, encodeEvent } from '@souk/events';
import { uuidv7 } from '@souk/postgres';
import { PaymentsServiceService, type Payment } from '@souk/proto/payments/v1';
import { rpcClient, type RpcClient } from '@souk/rpc';
import { startService, type RunningService } from '@souk/service';
import { newRequestId, newTraceparent, runInContext } from '@souk/telemetry';
import { testDatabase, testNats, type TestDatabase, type TestNats } from '@souk/testing';
import type { PaymentsConfig } from '../src/config.js';
import Stripe from 'stripe';
import { paymentsService } from '../src/service.js';
import { startSandbox, type Sandbox } from './sandbox-psp.js';

const SERVICE_TOKEN = 'a-secret-that-services-share';
export const WEBHOOK_SECRET = 'whsec_of_the_component_spec';
/** Short, so that tests of silence do not wait for long. */
export const PROVIDER_TIMEOUT_MS = 800;

export interface UnderTestOptions {
  readonly capture?: 'confirm' | 'fulfilment';
  /** Declined cards per client address, card and account; any number by default. */
  readonly declines?: { readonly address: number; readonly card: number; readonly account: number };
  /** Stands between the service and the provider: gets the provider's address, gives the one to call. */
  readonly through?: (pspUrl: string) => Promise<string>;
}

export interface AuthorizationTerms {
  readonly token?: string;
  readonly method?: string;
  readonly amount?: bigint;
  readonly currency?: string;
  readonly clientDigest?: string;
  readonly customerId?: string;
}

export class PaymentsUnderTest {
  postgres!: TestDatabase;
  nats!: TestNats;
  psp!: Sandbox;
  /** The provider's dashboard: what people do there reaches the service only by notices. */
  dashboard!: Stripe;
  orders!: RpcClient<typeof PaymentsServiceService>;
  gateway!: RpcClient<typeof PaymentsServiceService>;
  ops!: RpcClient<typeof PaymentsServiceService>;
  /** One person, whose keys are his own. */
  private readonly clerk = { userId: randomUUID(), roles: ['staff' as const] };
  /** Answers of the service to the provider's notices. */
  noticeAnswers: number[] = [];
  private identity!: TestIdentity;
  private settings!: PaymentsConfig;
  private service!: RunningService;
  private webhooks!: Server;

  static async start({ capture = 'confirm', through, declines }: UnderTestOptions = {}): Promise<PaymentsUnderTest> {
    const it = new PaymentsUnderTest();
    it.postgres = await testDatabase({ migrations: 'apps/payments/migrations' });
    it.nats = await testNats();
    it.identity = await testIdentity();
    it.psp = await startSandbox({ webhookSecret: WEBHOOK_SECRET, webhookUrl: await it.listenForNotices() });
    const { hostname, port } = new URL(it.psp.url);
    it.dashboard = new Stripe('sk_test_dashboard', { host: hostname, port, protocol: 'http' });
    it.settings = it.config(capture, through ? await through(it.psp.url) : it.psp.url, declines);
    await it.begin();
    return it;
  }

  /** Ends the service and starts it anew, on the same data. */
  async restart(): Promise<void> {
    await this.end();
    await this.begin();
  }

  async stop(): Promise<void> {
    this.webhooks.closeAllConnections();
    this.webhooks.close();
    await this.end();
    await this.psp.close();
    await this.nats.close();
    await this.postgres.drop();
  }

  private async begin(): Promise<void> {
    this.service = await startService({ ...paymentsService(this.settings), signingKeys: this.identity.keys });
    this.orders = this.clientOf('orders');
    this.gateway = this.clientOf('gateway');
    this.ops = this.clientOf('ops');
  }

  private async end(): Promise<void> {
    this.orders.close();
    this.gateway.close();
    this.ops.close();
    await this.service.stop();
  }

  authorize(orderId: string, more: AuthorizationTerms = {}) {
    const { token = 'pm_card_visa', method = 'card', amount = 1999n, currency = 'USD' } = more;
    return this.orders.authorizePayment({
      orderId,
      amount: { amount, currency },
      method,
      token,
      email: 'ada@example.com',
      clientDigest: more.clientDigest ?? '',
      customerId: more.customerId ?? '',
    });
  }

  /** An order whose card is authorised. */
  async authorizedOrder(more: { method?: string } = {}): Promise<{ orderId: string; payment: Payment }> {
    const orderId = randomUUID();
    const { payment } = await this.authorize(orderId, more);
    if (payment?.state !== 'STATE_AUTHORIZED') throw new Error(`The payment is ${payment?.state}.`);
    return { orderId, payment };
  }

  /** An order whose money was taken, all of it. */
  async capturedOrder(more: { method?: string } = {}): Promise<{ orderId: string; payment: Payment }> {
    const { orderId } = await this.authorizedOrder(more);
    const { payment } = await this.capture(orderId);
    if (payment?.state !== 'STATE_CAPTURED') throw new Error(`The payment is ${payment?.state}.`);
    return { orderId, payment };
  }

  capture(orderId: string, more: { amount?: bigint; moreToCome?: boolean; requestId?: string } = {}) {
    const { amount = 0n, moreToCome = false, requestId = randomUUID() } = more;
    return this.orders.capturePayment({ orderId, amount, moreToCome, requestId });
  }

  /** As staff asks for it. */
  refund(orderId: string, more: { amount?: bigint; reason?: string; requestId?: string } = {}) {
    const { amount = 0n, reason = '', requestId = randomUUID() } = more;
    return this.as(this.clerk, () => this.gateway.refundPayment({ orderId, amount, reason, requestId }));
  }

  async paymentOf(orderId: string): Promise<Payment> {
    const { payment } = await this.orders.getPayment({ orderId });
    if (!payment) throw new Error('There is no payment.');
    return payment;
  }

  async stateOf(orderId: string): Promise<string | undefined> {
    return (await this.orders.getPayment({ orderId })).payment?.state;
  }

  async as<T>(who: Role | { userId: string; roles: Role[] }, call: () => Promise<T>): Promise<T> {
    const user = typeof who === 'string' ? { userId: randomUUID(), roles: [who] } : who;
    const userToken = await this.identity.tokenFor(user);
    return runInContext({ requestId: newRequestId(), traceparent: newTraceparent(), userToken }, call);
  }

  /** Publishes as the other service's outbox does; without the broker's own guard against repetitions. */
  async publish(type: string, data: unknown, id: string = uuidv7()): Promise<void> {
    const event = { id, type, source: 'orders', aggregateId: 'any', time: new Date(), data: JSON.stringify(data) };
    const { headers, payload } = encodeEvent(event);
    headers.delete('Nats-Msg-Id');
    await this.nats.bus.js.publish(this.nats.bus.subject(type), payload, { headers });
  }

  /** Types of the events that were published of an order's payment, in their order. */
  async published(orderId: string): Promise<string[]> {
    const consumer = await this.nats.bus.js.consumers.get(this.nats.bus.stream('PAYMENTS'));
    const types: string[] = [];
    const messages = await consumer.fetch({ max_messages: 10_000, expires: 1_000 });
    for await (const message of messages) {
      const event = decodeEvent(message.headers, message.data);
      const { payment } = JSON.parse(event.data) as { payment: { orderId: string } };
      if (payment.orderId === orderId) types.push(event.type.replace('souk.payments.v1.', ''));
      if (message.info.pending === 0) break;
    }
    return types;
  }

  private config(
    capture: 'confirm' | 'fulfilment',
    pspUrl: string,
    { address, card, account } = { address: 0, card: 0, account: 0 },
  ): PaymentsConfig {
    return {
      GRPC_HOST: '127.0.0.1',
      GRPC_PORT: 0,
      DATABASE_URL: this.postgres.url,
      NATS_URL: this.nats.url,
      NATS_PREFIX: this.nats.prefix,
      SOUK_SERVICE_TOKEN: SERVICE_TOKEN,
      SOUK_RECONCILE_EVERY_SECONDS: 3_600,
      SOUK_IDENTITY_ADDRESS: '127.0.0.1:1',
      STRIPE_API_KEY: 'sk_test_component_spec',
      STRIPE_API_BASE: pspUrl,
      STRIPE_TIMEOUT_MS: PROVIDER_TIMEOUT_MS,
      STRIPE_WEBHOOK_SECRET: WEBHOOK_SECRET,
      STRIPE_MULTICAPTURE: 'on',
      SOUK_CAPTURE: capture,
      SOUK_CAPTURE_WITHIN_HOURS: 144,
      SOUK_CARD_DECLINES_PER_ADDRESS: address,
      SOUK_CARD_DECLINES_PER_CARD: card,
      SOUK_CARD_DECLINES_PER_ACCOUNT: account,
      SOUK_CARD_DECLINES_WINDOW_MINUTES: 60,
    };
  }

  /** A provider of the service's module. */
  part<T>(type: Type<T>): T {
    return this.service.get(type);
  }

  private clientOf(caller: string): RpcClient<typeof PaymentsServiceService> {
    const address = `127.0.0.1:${this.service.port}`;
    return rpcClient(PaymentsServiceService, { address, caller, serviceToken: SERVICE_TOKEN, timeoutMs: 10_000 });
  }

  /** Passes notices on, as the gateway does. */
  private async listenForNotices(): Promise<string> {
    this.webhooks = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const signature = String(request.headers['stripe-signature']);
        const answer = (status: number) => {
          this.noticeAnswers.push(status);
          response.writeHead(status).end();
        };
        const passedOn = this.gateway.receiveWebhook({ payload: Buffer.concat(chunks), signature });
        passedOn.then(
          () => answer(200),
          () => answer(500),
        );
      });
    });
    await new Promise<void>((resolve) => this.webhooks.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.webhooks.address() as AddressInfo).port}/`;
  }
}
