/** The only mapping between RPCs and the domain. */
import { Inject } from '@nestjs/common';
import { Allow, subjectOf } from '@souk/auth';
import { fingerprintOf, type Claim } from '@souk/idempotency';
import {
  CapturePaymentRequest,
  PaymentsServiceService,
  RefundPaymentRequest,
  type AuthorizePaymentRequest,
  type AuthorizePaymentResponse,
  type BatchGetPaymentsRequest,
  type BatchGetPaymentsResponse,
  type CancelPaymentRequest,
  type CancelPaymentResponse,
  type CapturePaymentResponse,
  type GetPaymentRequest,
  type GetPaymentResponse,
  type ReceiveWebhookRequest,
  type ReceiveWebhookResponse,
  type RefundPaymentResponse,
  type SyncPaymentRequest,
  type SyncPaymentResponse,
} from '@souk/proto/payments/v1';
import { currentPrincipal, RpcController, type Handlers } from '@souk/rpc';
import type { Logger } from '@souk/telemetry';
import { answerInTime } from './answer-in-time.js';
import { AuthorizePayment } from './authorize-payment.js';
import { CancelPayment } from './cancel-payment.js';
import { CapturePayment, requireNotRefused } from './capture-payment.js';
import type { Payment } from './domain/payment.js';
import { paymentNotFound } from './domain/payment-errors.js';
import {
  checkCaptureRequest,
  checkOrderId,
  checkOrderIds,
  checkPaymentRequest,
  checkRefundRequest,
} from './domain/payment-request.js';
import { toMessage, toRefundMessage } from './payments.messages.js';
import { PaymentsStore } from './payments.store.js';
import { ReceiveWebhook } from './receive-webhook.js';
import { RefundPayment } from './refund-payment.js';
import { SettleOrder } from './settle-order.js';
import { SyncPayment } from './sync-payment.js';

/** Token of the service's logger. */
export const LOGGER = Symbol('logger');

@RpcController(PaymentsServiceService)
export class PaymentsGrpc implements Handlers<typeof PaymentsServiceService> {
  constructor(
    private readonly authorize: AuthorizePayment,
    private readonly cancel: CancelPayment,
    private readonly capture: CapturePayment,
    private readonly refund: RefundPayment,
    private readonly settle: SettleOrder,
    private readonly sync: SyncPayment,
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
    await this.cancel.execute(orderId);
    const payment = await this.soon(orderId, this.settle.execute(orderId));
    // Its cancellation is noted and will be done, but it is not done yet.
    const isUnderWay = payment.state === 'AUTHORIZED' || payment.state === 'CAPTURED';
    return { payment: toMessage(isUnderWay ? { ...payment, state: 'PROCESSING' } : payment) };
  }

  @Allow('orders:write', 'service:orders')
  async capturePayment(message: CapturePaymentRequest): Promise<CapturePaymentResponse> {
    const request = checkCaptureRequest(message);
    const claim = claimOf('CapturePayment', message.requestId, CapturePaymentRequest.toJSON(message));
    const { sequence, replayed } = await this.capture.execute(request, claim);
    const payment = await this.soon(request.orderId, this.settle.execute(request.orderId));
    requireNotRefused(payment, sequence);
    return { payment: toMessage(payment), replayed };
  }

  @Allow('orders:refund')
  async refundPayment(message: RefundPaymentRequest): Promise<RefundPaymentResponse> {
    const request = checkRefundRequest(message);
    const claim = claimOf('RefundPayment', message.requestId, RefundPaymentRequest.toJSON(message));
    const { refundId, replayed } = await this.refund.execute(request, claim);
    const payment = await this.soon(request.orderId, this.settle.execute(request.orderId));
    const refund = payment.refunds.find((it) => it.refundId === refundId);
    return { refund: refund && toRefundMessage(refund), payment: toMessage(payment), replayed };
  }

  @Allow('operations:run', 'service:ops')
  async syncPayment(message: SyncPaymentRequest): Promise<SyncPaymentResponse> {
    const orderId = checkOrderId(message.orderId);
    const payment = await this.soon(orderId, this.sync.execute(orderId));
    return { payment: toMessage(payment) };
  }

  @Allow('service:orders', 'service:ops')
  async batchGetPayments(message: BatchGetPaymentsRequest): Promise<BatchGetPaymentsResponse> {
    const payments = await this.store.getMany(checkOrderIds(message.orderIds));
    return { payments: payments.map(toMessage) };
  }

  @Allow('orders:read', 'service:orders')
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

function claimOf(operation: string, key: string, request: unknown): Claim {
  // The orders service captures on nobody's behalf.
  const principal = subjectOf(currentPrincipal()) ?? 'service';
  return { principal, operation, key, fingerprint: fingerprintOf(request) };
}
