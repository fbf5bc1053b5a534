/** The only mapping between RPCs and the domain. */
import { Inject } from '@nestjs/common';
import { Allow } from '@souk/auth';
import {
  PaymentsServiceService,
  type AuthorizePaymentRequest,
  type AuthorizePaymentResponse,
  type CancelPaymentRequest,
  type CancelPaymentResponse,
  type CapturePaymentRequest,
  type CapturePaymentResponse,
  type GetPaymentRequest,
  type GetPaymentResponse,
  type ReceiveWebhookRequest,
  type ReceiveWebhookResponse,
} from '@souk/proto/payments/v1';
import { RpcController, type Handlers } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import { answerInTime } from './answer-in-time.js';
import { AuthorizePayment } from './authorize-payment.js';
import { CancelPayment } from './cancel-payment.js';
import { CapturePayment } from './capture-payment.js';
import type { Payment } from './domain/payment.js';
import { paymentNotFound } from './domain/payment-errors.js';
import { checkOrderId, checkPaymentRequest } from './domain/payment-request.js';
import { toMessage } from './payments.messages.js';
import { PaymentsStore } from './payments.store.js';
import { ReceiveWebhook } from './receive-webhook.js';

/** Token of the service's logger. */
export const LOGGER = Symbol('logger');

@RpcController(PaymentsServiceService)
export class PaymentsGrpc implements Handlers<typeof PaymentsServiceService> {
  constructor(
    private readonly authorize: AuthorizePayment,
    private readonly cancel: CancelPayment,
    private readonly capture: CapturePayment,
    private readonly webhooks: ReceiveWebhook,
    private readonly store: PaymentsStore,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  @Allow('service:orders')
  async authorizePayment(message: AuthorizePaymentRequest): Promise<AuthorizePaymentResponse> {
    const request = checkPaymentRequest(message);
    const payment = await this.soon(request.orderId, this.authorize.execute(request));
    return { payment: toMessage(payment) };
  }

  @Allow('service:orders')
  async cancelPayment(message: CancelPaymentRequest): Promise<CancelPaymentResponse> {
    const orderId = checkOrderId(message.orderId);
    const payment = await this.soon(orderId, this.cancel.execute(orderId));
    // Its cancellation is noted and will be done, but it is not done yet.
    const isUnderWay = payment.state === 'AUTHORIZED' || payment.state === 'CAPTURED';
    return { payment: toMessage(isUnderWay ? { ...payment, state: 'PROCESSING' } : payment) };
  }

  @Allow('staff', 'service:orders')
  async capturePayment(message: CapturePaymentRequest): Promise<CapturePaymentResponse> {
    const orderId = checkOrderId(message.orderId);
    const payment = await this.soon(orderId, this.capture.execute(orderId));
    return { payment: toMessage(payment) };
  }

  @Allow('staff', 'service:orders')
  async getPayment(message: GetPaymentRequest): Promise<GetPaymentResponse> {
    const orderId = checkOrderId(message.orderId);
    const payment = await this.store.get(orderId);
    if (!payment) throw paymentNotFound(orderId);
    return { payment: toMessage(payment) };
  }

  @Allow('service:gateway')
  async receiveWebhook({ payload, signature }: ReceiveWebhookRequest): Promise<ReceiveWebhookResponse> {
    await this.webhooks.execute(Buffer.from(payload), signature);
    return {};
  }

  /** The payment after the work, or as it is when the caller is about to stop waiting; the work then goes on. */
  private soon(orderId: string, work: Promise<Payment>): Promise<Payment> {
    const present = async () => (await this.store.get(orderId)) ?? work;
    return answerInTime(work, present, (error) =>
      this.logger.error({ err: error, orderId }, 'work on a payment failed after its caller was answered'),
    );
  }
}
