import { Body, Controller, Get, Headers, HttpCode, Inject, Param, Post, Req, Res } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import { DomainError } from '@souk/errors';
import type { Payment } from '@souk/proto/payments/v1';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { PAYMENTS, type PaymentsClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails } from './api-docs.js';
import type { BodyConfig } from './body-parsers.js';
import { idSchema } from './fields.schemas.js';
import { required } from './fields.view.js';
import { markReplayed, REPLAYED, RequiredKey } from './idempotency-key.js';
import { captureBody, paymentSchema, refundBody, refundSchema, webhookReceivedSchema } from './payments.schemas.js';
import { paymentView, refundView, type PaymentView, type RefundView } from './payments.view.js';
import { ProblemError } from './problem.js';

/** Payments answers earlier by itself, with PROCESSING where the provider is slow. */
const PROVIDER_TIMEOUT_MS = 12_000;
const RETRY_AFTER_S = 1;
const UNDER_WAY = { Location: 'Where to ask again.', 'Retry-After': 'Seconds to wait before asking.', ...REPLAYED };

@ApiTags('Payments')
@Controller('v1')
export class PaymentsController {
  constructor(@Inject(PAYMENTS) private readonly payments: PaymentsClient) {}

  @Get('orders/:id/payment')
  @Access('orders:read')
  @ApiOperation({ summary: 'Read the payment of an order' })
  @Answers(200, 'The payment.', paymentSchema)
  @Fails({ 404: ['PAYMENT_NOT_FOUND'] })
  async get(@Param('id', { schema: idSchema }) orderId: string): Promise<PaymentView> {
    return paymentView(await this.read(orderId));
  }

  @Post('orders/:id/captures')
  @Access('orders:write')
  @ApiOperation({ summary: 'Take authorised money, all or a part; for `manual`, note that it came in' })
  @Answers(201, 'The money was taken.', paymentSchema, { Location: 'Address of the payment.', ...REPLAYED })
  @Answers(202, "The provider's answer is not known yet; ask again.", paymentSchema, UNDER_WAY)
  @Fails({ 404: ['PAYMENT_NOT_FOUND'], 409: ['PAYMENT_NOT_CAPTURABLE', 'AMOUNT_TOO_HIGH'] })
  async capture(
    @RequiredKey() requestId: string,
    @Param('id', { schema: idSchema }) orderId: string,
    @Body({ schema: captureBody }) body: z.infer<typeof captureBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PaymentView> {
    const { payment, replayed } = await this.payments.capturePayment(
      { orderId, amount: BigInt(body?.amount ?? 0), moreToCome: body?.moreToCome ?? false, requestId },
      { timeoutMs: PROVIDER_TIMEOUT_MS },
    );
    const view = paymentView(required(payment));
    markReplayed(reply, replayed);
    made(reply, `/v1/orders/${orderId}/payment`, { underWay: view.captures.some(({ done }) => !done) });
    return view;
  }

  @Post('orders/:id/refunds')
  @Access('orders:refund')
  @ApiOperation({ summary: 'Give captured money back, all or a part' })
  @Answers(201, 'The money went back.', refundSchema, { Location: 'Address of the refund.', ...REPLAYED })
  @Answers(202, "The provider's answer is not known yet; ask again.", refundSchema, UNDER_WAY)
  @Fails({ 404: ['PAYMENT_NOT_FOUND'], 409: ['PAYMENT_NOT_REFUNDABLE', 'AMOUNT_TOO_HIGH', 'REFUND_FAILED'] })
  async refund(
    @RequiredKey() requestId: string,
    @Param('id', { schema: idSchema }) orderId: string,
    @Body({ schema: refundBody }) body: z.infer<typeof refundBody>,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RefundView> {
    const { refund, payment, replayed } = await this.payments.refundPayment(
      { orderId, amount: BigInt(body?.amount ?? 0), reason: body?.reason ?? '', requestId },
      { timeoutMs: PROVIDER_TIMEOUT_MS },
    );
    const view = refundView(required(refund), currencyOf(payment));
    markReplayed(reply, replayed);
    if (view.state === 'FAILED') throw refundFailed(view);
    made(reply, `/v1/orders/${orderId}/refunds/${view.id}`, { underWay: view.state === 'PROCESSING' });
    return view;
  }

  @Get('orders/:id/refunds/:refund')
  @Access('orders:read')
  @ApiOperation({ summary: 'Read a refund' })
  @Answers(200, 'The refund.', refundSchema)
  @Fails({ 404: ['PAYMENT_NOT_FOUND', 'REFUND_NOT_FOUND'] })
  async getRefund(
    @Param('id', { schema: idSchema }) orderId: string,
    @Param('refund', { schema: idSchema }) refundId: string,
  ): Promise<RefundView> {
    const payment = await this.read(orderId);
    const refund = payment.refunds.find((one) => one.refundId === refundId);
    if (refund) return refundView(refund, currencyOf(payment));
    throw new DomainError({ kind: 'not_found', reason: 'REFUND_NOT_FOUND', message: 'The order has no such refund.' });
  }

  @Post('webhooks/stripe')
  @HttpCode(200)
  @Access('public')
  @RouteConfig({ body: 'bytes' } satisfies BodyConfig)
  @ApiOperation({ summary: 'Take a notice from the payment provider' })
  @ApiHeader({ name: 'Stripe-Signature', required: true })
  @ApiBody({ schema: { type: 'object' }, description: 'The event, byte by byte as it was signed.' })
  @Answers(200, 'The notice is stored.', webhookReceivedSchema)
  @Fails({ 400: ['WEBHOOK_SIGNATURE_INVALID'] })
  async receive(
    @Req() { body }: FastifyRequest,
    @Headers('stripe-signature') signature: string | undefined,
  ): Promise<z.infer<typeof webhookReceivedSchema>> {
    // No body is an unsigned one: the payments service refuses it like any other.
    const payload = Buffer.isBuffer(body) ? body : Buffer.alloc(0);
    await this.payments.receiveWebhook({ payload, signature: signature ?? '' });
    return { received: true };
  }

  private async read(orderId: string): Promise<Payment> {
    const { payment } = await this.payments.getPayment({ orderId });
    return required(payment);
  }
}

function made(reply: FastifyReply, location: string, { underWay }: { underWay: boolean }): void {
  void reply.header('location', location);
  if (underWay) void reply.status(202).header('retry-after', RETRY_AFTER_S);
}

function refundFailed(refund: RefundView): ProblemError {
  const message = 'The payment provider refused to give the money back.';
  return new ProblemError({ kind: 'refused', reason: 'REFUND_FAILED', message }, { refund });
}

function currencyOf(payment: Payment | undefined): string {
  return required(payment?.amount).currency;
}
