import { Controller, Get, Headers, HttpCode, Inject, Param, Post, Req } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiHeader, ApiOperation, ApiTags } from '@nestjs/swagger';
import type { Payment } from '@souk/proto/payments/v1';
import type { FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { PAYMENTS, type PaymentsClient } from '../clients.js';
import { Access } from './access.js';
import { Answers, Fails } from './api-docs.js';
import type { BodyConfig } from './body-parsers.js';
import { idSchema } from './fields.schemas.js';
import { enumView, moneyView, present, required, timeView } from './fields.view.js';
import { paymentSchema, webhookReceivedSchema } from './payments.schemas.js';

type PaymentView = z.infer<typeof paymentSchema>;

@ApiTags('Payments')
@Controller('v1')
export class PaymentsController {
  constructor(@Inject(PAYMENTS) private readonly payments: PaymentsClient) {}

  @Get('orders/:id/payment')
  @Access('staff')
  @ApiOperation({ summary: 'Read the payment of an order' })
  @Answers(200, 'The payment.', paymentSchema)
  @Fails({ 404: ['PAYMENT_NOT_FOUND'] })
  async get(@Param('id', { schema: idSchema }) orderId: string): Promise<PaymentView> {
    const { payment } = await this.payments.getPayment({ orderId });
    return paymentView(required(payment));
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
}

function paymentView(payment: Payment): PaymentView {
  const amount = required(payment.amount);
  return {
    id: payment.paymentId,
    orderId: payment.orderId,
    state: enumView('STATE_', payment.state) as PaymentView['state'],
    amount: moneyView(amount),
    captured: moneyView({ ...amount, amount: payment.capturedAmount }),
    refunded: moneyView({ ...amount, amount: payment.refundedAmount }),
    method: payment.method,
    ...present('providerReference', payment.providerReference),
    ...present('declineCode', payment.declineCode),
    version: payment.version,
    createdAt: timeView(payment.createTime),
    updatedAt: timeView(payment.updateTime),
  };
}
