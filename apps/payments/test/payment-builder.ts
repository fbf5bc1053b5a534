import { CardTries } from '../src/card-tries.js';
import type { ProviderView } from '../src/domain/follow-provider.js';
import {
  authorizePayment,
  openPayment,
  type Capture,
  type Payment,
  type PaymentMethod,
  type Refund,
} from '../src/domain/payment.js';

export const NOW = new Date('2030-01-02T03:04:05.000Z');

/** A payment of 19.99 USD, PROCESSING, for the order. */
export function aPayment(orderId: string, paymentId: string, method: PaymentMethod = 'card', amount = 1999n): Payment {
  return openPayment({ orderId, amount: { amount, currency: 'USD' }, method }, paymentId, NOW);
}

export function anAuthorization(orderId: string, paymentId: string, method: PaymentMethod = 'manual') {
  return authorizePayment(aPayment(orderId, paymentId, method), '', NOW);
}

/** The first capture, of all of it, under way. */
export function aCapture(differs: Partial<Capture> = {}): Capture {
  return { sequence: 1, amount: 1999n, final: true, state: 'PROCESSING', createTime: NOW, ...differs };
}

/** A refund of all of it, under way. */
export function aRefund(differs: Partial<Refund> = {}): Refund {
  const refundId = '01903f2a-9999-7a01-8c3d-5e6f7a8b9c0d';
  return { refundId, amount: 1999n, state: 'PROCESSING', reason: '', reference: '', createTime: NOW, ...differs };
}

/** An intent `pi_1` of 19.99 USD of which nothing was taken. */
export function aView(outcome: ProviderView['outcome'], differs: Partial<ProviderView> = {}): ProviderView {
  const amount = { amount: 1999n, currency: 'USD' };
  return { outcome, reference: 'pi_1', amount, capturedAmount: 0n, refunds: [], code: '', ...differs };
}

export const NO_CARD_LIMITS = new CardTries({ perAddress: 0, perCard: 0, perAccount: 0, windowMs: 1 });
