import { invalid, type FieldViolation } from '@souk/errors';
import type { Money } from '@souk/money';
import type { PaymentMethod } from './payment.js';

/** What an authorisation is asked with. */
export interface PaymentRequest {
  readonly orderId: string;
  readonly amount: Money;
  readonly method: PaymentMethod;
  /** What the provider's form returned for the card; empty for `manual`. */
  readonly token: string;
  readonly email: string;
  /** Keyed digest of the buyer's network address; empty where that is not known. */
  readonly clientDigest: string;
  /** The buyer's account; empty for a guest. */
  readonly customerId: string;
}

/** What a capture is asked with. */
export interface CaptureRequest {
  readonly orderId: string;
  /** Minor units; 0 for all that is left. */
  readonly amount: bigint;
  readonly moreToCome: boolean;
}

/** What a refund is asked with. */
export interface RefundRequest {
  readonly orderId: string;
  /** Minor units; 0 for all that is left. */
  readonly amount: bigint;
  readonly reason: string;
}

/** What is done once per key of its caller. */
interface Keyed {
  readonly requestId: string;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const LONGEST_TEXT = 500;
const LONGEST_KEY = 255;
const LONGEST_REASON = 200;
const MOST_ORDERS = 500;

/** @throws DomainError INVALID_ARGUMENT that names every wrong field */
export function checkPaymentRequest(request: {
  orderId: string;
  amount?: Money;
  method: string;
  token: string;
  email: string;
  clientDigest: string;
  customerId: string;
}): PaymentRequest {
  const { amount, method, token, email, clientDigest, customerId } = request;
  const wrong: FieldViolation[] = orderIdViolations(request.orderId);
  const refuse = (field: string, description: string) => wrong.push({ field, description });
  if (method !== 'card' && method !== 'manual') refuse('method', '`card` or `manual`');
  if (!amount) refuse('amount', 'is missing');
  if (amount && !/^[A-Z]{3}$/.test(amount.currency)) refuse('amount.currency', 'an ISO 4217 code in capitals');
  if (amount && amount.amount < (method === 'card' ? 1n : 0n)) refuse('amount.amount', 'at least 1, or 0 for `manual`');
  if (method === 'card' && (token === '' || token.length > LONGEST_TEXT)) refuse('token', 'names the card');
  for (const [field, text] of Object.entries({ email, client_digest: clientDigest, customer_id: customerId })) {
    if (text.length > LONGEST_TEXT) refuse(field, `at most ${LONGEST_TEXT} characters`);
  }
  if (wrong.length > 0 || !amount) throw invalid(wrong);
  const orderId = request.orderId.toLowerCase();
  return { orderId, amount, method: method as PaymentMethod, token, email, clientDigest, customerId };
}

/** @throws DomainError INVALID_ARGUMENT that names every wrong field */
export function checkCaptureRequest(request: CaptureRequest & Keyed): CaptureRequest {
  const { orderId, amount, moreToCome, requestId } = request;
  const wrong = [...orderIdViolations(orderId), ...amountViolations(amount), ...keyViolations(requestId)];
  if (wrong.length > 0) throw invalid(wrong);
  return { orderId: orderId.toLowerCase(), amount, moreToCome };
}

/** @throws DomainError INVALID_ARGUMENT that names every wrong field */
export function checkRefundRequest(request: RefundRequest & Keyed): RefundRequest {
  const { orderId, amount, reason, requestId } = request;
  const wrong = [...orderIdViolations(orderId), ...amountViolations(amount), ...keyViolations(requestId)];
  if (reason.length > LONGEST_REASON) {
    wrong.push({ field: 'reason', description: `at most ${LONGEST_REASON} characters` });
  }
  if (wrong.length > 0) throw invalid(wrong);
  return { orderId: orderId.toLowerCase(), amount, reason };
}

/** @throws DomainError INVALID_ARGUMENT */
export function checkOrderIds(orderIds: readonly string[]): string[] {
  const areMany = orderIds.length > MOST_ORDERS;
  const wrong = areMany ? [{ field: 'order_ids', description: `at most ${MOST_ORDERS}` }] : [];
  orderIds.forEach((id, index) => {
    if (!UUID.test(id)) wrong.push({ field: `order_ids[${index}]`, description: 'a UUID' });
  });
  if (wrong.length > 0) throw invalid(wrong);
  return orderIds.map((id) => id.toLowerCase());
}

/** @throws DomainError INVALID_ARGUMENT */
export function checkOrderId(orderId: string): string {
  const wrong = orderIdViolations(orderId);
  if (wrong.length > 0) throw invalid(wrong);
  return orderId.toLowerCase();
}

function orderIdViolations(orderId: string): FieldViolation[] {
  return UUID.test(orderId) ? [] : [{ field: 'order_id', description: 'a UUID' }];
}

function amountViolations(amount: bigint): FieldViolation[] {
  return amount >= 0n ? [] : [{ field: 'amount', description: 'at least 1, or 0 for all that is left' }];
}

function keyViolations(requestId: string): FieldViolation[] {
  const isKey = requestId !== '' && requestId.length <= LONGEST_KEY;
  return isKey ? [] : [{ field: 'request_id', description: `1 to ${LONGEST_KEY} characters` }];
}
